package chain

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// lateness is how long a call may go on after its time limit, so that the session it
// makes can be canceled.
const lateness = 30 * time.Second

// flight is a call for a session that goes on when its time limit is over or the client
// has left. Closing the connection would not undo what the provider does, and nobody
// would know whether there is a session.
type flight struct {
	t       *Target
	id      string          // of the request
	ctx     context.Context //nolint:containedctx // of the call
	end     context.CancelFunc
	release func()

	session  session.Session
	err      error
	panicked any

	done chan struct{}
	left atomic.Bool // nobody waits any more
}

// session asks the provider for a session, within the time limit of ctx.
func (t *Target) session(ctx context.Context, req *session.Request) (session.Session, error) {
	if !t.Late {
		return t.create(ctx, req)
	}
	limit := lateness
	if until, ok := ctx.Deadline(); ok {
		limit += time.Until(until)
	}
	own, end := context.WithTimeout(t.detach(ctx), limit)
	f := &flight{t: t, id: req.ID, ctx: own, end: end, done: make(chan struct{}, 1)}
	go f.fly(req)
	select {
	case <-f.done:
	case <-ctx.Done():
		if f.leave() {
			return session.Session{}, ctx.Err()
		}
		<-f.done
	}
	if f.panicked != nil {
		panic(f.panicked) // for the attempt to judge
	}
	return f.session, f.err
}

// fly makes the call.
func (f *flight) fly(req *session.Request) {
	defer func() {
		f.panicked = recover()
		if f.left.CompareAndSwap(false, true) {
			f.end()
			f.done <- struct{}{}
			return
		}
		<-f.done // until leave is through
		f.orphaned()
		f.end()
	}()
	f.session, f.err = f.t.create(f.ctx, req)
}

// leave lets the call go on by itself, and cuts it if too many do. It returns false if
// the call is over.
func (f *flight) leave() bool {
	if !f.left.CompareAndSwap(false, true) {
		return false
	}
	release, ok := f.t.Orphans.Hold(orphan.Late)
	if f.release = release; !ok {
		f.release = func() {}
		f.end()
	}
	f.done <- struct{}{}
	return true
}

// orphaned deals with what came of a call that nobody waited for.
func (f *flight) orphaned() {
	defer f.release()
	switch {
	case f.panicked != nil:
	case f.err == nil:
		f.t.discard(f.session, f.id, nil)
	case f.ctx.Err() != nil:
		f.t.Orphans.Tell(f.id, orphan.Unknown)
	}
}

// discard cancels a session that nobody gets, in the background. withdrawn, which may be
// nil, is told of it.
func (t *Target) discard(s session.Session, requestID string, withdrawn func(*session.Session)) {
	tell := func() {
		if withdrawn != nil {
			withdrawn(&s)
		}
	}
	tell()
	if t.Discard == nil {
		t.Orphans.Tell(requestID, orphan.Unsupported)
		return
	}
	t.Orphans.Cancel(orphan.Job{RequestID: requestID, Limit: t.Timeout, Do: func(ctx context.Context) error {
		tell() // again: the answer with the session may not have been noted the first time
		return t.Discard(ctx, &s, requestID)
	}})
}

// detach returns a context with the values of ctx that does not end with it.
func (t *Target) detach(ctx context.Context) context.Context {
	if t.Detach != nil {
		return t.Detach(ctx)
	}
	return context.WithoutCancel(ctx)
}
