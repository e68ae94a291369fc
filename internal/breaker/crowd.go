package breaker

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// crowd remembers of any number of callers when the last were added, just well
// enough to say when somebody else than a given caller was. The zero value is empty.
//
// [session.Caller.Same] is not transitive: a visitor may be any of the accounts at
// its address. So there are three records, one for each way to be somebody else.
type crowd struct {
	accounts, visitors, addresses latest

	// pair is the latest time at or after which two different callers were added,
	// the zero time where all were one.
	pair time.Time
}

// add adds who.
func (c *crowd) add(who session.Caller, now time.Time) {
	if t := c.others(who); t.After(c.pair) {
		c.pair = t
	}
	if who.User != "" {
		c.accounts.add(who.User, now)
	} else {
		c.visitors.add(who.Address, now)
	}
	c.addresses.add(who.Address, now)
}

// others returns when somebody else than who was added last, the zero time for never.
func (c *crowd) others(who session.Caller) time.Time {
	if who.User == "" {
		return c.addresses.others(who.Address)
	}
	account, visitor := c.accounts.others(who.User), c.visitors.others(who.Address)
	if visitor.After(account) {
		return visitor
	}
	return account
}

// latest is the key that was added last and when, and when another one was.
type latest struct {
	key       string
	at, other time.Time
}

func (l *latest) add(key string, now time.Time) {
	if key != l.key {
		l.key, l.other = key, l.at
	}
	l.at = now
}

// others returns when another key than key was added last.
func (l *latest) others(key string) time.Time {
	if key == l.key {
		return l.other
	}
	return l.at
}
