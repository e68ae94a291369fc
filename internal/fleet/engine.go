package fleet

import (
	"context"
	"time"
)

// Rule says how an entry stands to a value that is kept under its key already.
type Rule int

// The rules.
const (
	Always  Rule = iota // it replaces the value
	First               // it does not
	Longest             // it replaces a value that is kept for less long
	Newest              // it replaces a value that is older
	Own                 // it is deleted, where its value is Value
)

// Entry is a value to keep, or keys to delete where TTL is 0.
type Entry struct {
	Key   string
	Value []byte
	TTL   time.Duration
	Rule  Rule
	Age   time.Duration // of the value, for Newest

	// Drop are keys that are deleted at the same time. They have the tag of Key.
	Drop []string

	// Message is sent to all who listen. Where there is a newer value it is not.
	Message []byte
}

// Kept is a value that is kept. Value is nil where there is none.
type Kept struct {
	Value []byte
	Left  time.Duration
	Age   time.Duration // where it was kept as Newest
}

// Beat is what an instance has said of itself, and how long ago.
type Beat struct {
	Value []byte
	Age   time.Duration
}

// Rate is a burst of N, refilled evenly at N per Per.
type Rate struct {
	N   int
	Per time.Duration
}

// Engine is a store that the instances share. Its clock is the only one that
// matters. A part of a key in braces is its tag: keys with one tag can be changed in
// one step. It is safe for concurrent use, and every method ends with its context.
type Engine interface {
	// Put keeps the entries. Each is kept in one step, all of them are not.
	Put(ctx context.Context, entries []Entry) error

	// Look returns what is kept under keys of one tag, in one step.
	Look(ctx context.Context, keys []string) ([]Kept, error)

	// Lease gives the key to the owner for a time, if nobody else has it. Else it
	// returns how long somebody else still has.
	Lease(ctx context.Context, key, owner string, ttl time.Duration) (given bool, left time.Duration, err error)

	// Take takes up to n tokens of a key. Where it got fewer, it returns how long it
	// will be until there is the next one.
	Take(ctx context.Context, key string, r Rate, n int) (got int, wait time.Duration, err error)

	// Beat says that an instance is there, for at most life. Without a value it says
	// that the instance is gone.
	Beat(ctx context.Context, key, instance string, value []byte, life time.Duration) error

	// Roll returns the instances that are there.
	Roll(ctx context.Context, key string, life time.Duration) (map[string]Beat, error)

	// Ping reports whether the store answers.
	Ping(ctx context.Context) error

	// Listen calls ready when messages arrive from now on, and got with each, until
	// there is an error.
	Listen(ctx context.Context, ready func(), got func(message []byte)) error

	// Close ends all connections.
	Close() error
}
