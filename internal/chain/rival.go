package chain

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// rival is what an ask beside another one has in addition. Exactly one side takes its
// verdict: who waits for it, or itself when it has lost.
type rival struct {
	stayed func() bool        // the client's leaving does not end it any more
	end    context.CancelFunc // of its context
	quit   chan struct{}      // closed when it has lost
	done   chan session.Verdict
	state  atomic.Int32
	after  func(session.Verdict) // takes the verdict when it has lost
}

// States of a rival.
const (
	asking int32 = iota
	answered
	lost
)

// begin asks a provider on a goroutine of its own. It ends when the client leaves,
// unless it has lost by then.
func (r *run) begin(a *ask) *ask {
	ctx, end := a.t.detach(r.ctx), context.CancelFunc(nil)
	if at, ok := r.ctx.Deadline(); ok { // somebody else's
		ctx, end = context.WithDeadline(ctx, at)
	} else {
		ctx, end = context.WithCancel(ctx)
	}
	one := &rival{end: end, quit: make(chan struct{}), done: make(chan session.Verdict, 1)}
	one.stayed = context.AfterFunc(r.ctx, func() {
		if errors.Is(r.ctx.Err(), context.Canceled) {
			end()
		}
	})
	a.run, a.ctx, a.session, a.rival = r, ctx, new(session.Session), one
	go a.answer()
	return a
}

// answer asks, and gives the verdict to who has to take it.
func (a *ask) answer() {
	v := a.do()
	a.rival.stayed()
	a.rival.end()
	if a.rival.state.CompareAndSwap(asking, answered) {
		a.rival.done <- v
		return
	}
	a.rival.after(v)
}

// lose says that nobody waits for the verdict. When it is there after is called, then
// release.
func (a *ask) lose(release func(), after func(session.Verdict)) {
	a.rival.stayed()
	a.rival.after = func(v session.Verdict) {
		defer release()
		after(v)
	}
	close(a.rival.quit)
	if !a.rival.state.CompareAndSwap(asking, lost) {
		a.rival.after(<-a.rival.done)
	}
}

// hasLost reports whether nobody waits for the verdict.
func (a *ask) hasLost() bool {
	select {
	case <-a.lost():
		return true
	default:
		return false
	}
}

// lost returns a channel that is closed when nobody waits for the verdict.
func (a *ask) lost() <-chan struct{} {
	if a.rival == nil {
		return nil
	}
	return a.rival.quit
}

// orphaned cancels the session of an ask that lost.
func (a *ask) orphaned(v session.Verdict) {
	if v.Reason == session.OK {
		a.t.discard(*a.session, a.req.ID, nil)
	}
}
