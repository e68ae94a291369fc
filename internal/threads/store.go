package threads

import (
	"context"
	"errors"
)

// ErrGone is the error of a change to a thread that is not there: it was deleted, it
// is too old, or there was no room for it any more.
var ErrGone = errors.New("no such thread")

// Store keeps threads. It is safe for concurrent use. An error other than [ErrGone]
// says that the store is out of order.
type Store interface {
	// Get returns a thread, or ErrGone.
	Get(ctx context.Context, k Key) (*Thread, error)

	// List returns the threads of an owner, in the order in which they were created.
	List(ctx context.Context, o Owner) ([]*Thread, error)

	// Put adds a thread.
	Put(ctx context.Context, o Owner, t *Thread) error

	// Update changes a thread in one step, or returns ErrGone. change may be called
	// more than once and must not call back; its error ends the update, and nothing
	// has changed.
	Update(ctx context.Context, k Key, change func(*Thread) error) error

	// Delete deletes a thread, all there is of it. One that is not there is no error.
	Delete(ctx context.Context, k Key) error

	// Missed returns the keys of at most n threads of a scope with items that no
	// backend has seen, those that were changed longest ago first.
	Missed(ctx context.Context, scope string, n int) ([]Key, error)
}
