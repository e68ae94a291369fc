package turn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// Turn is one turn.
type Turn struct {
	turns  *Turns
	r      Request
	began  time.Time
	ctx    context.Context //nolint:containedctx // of the turn, which outlives the request that began it
	cancel context.CancelCauseFunc
	shown  chan struct{} // closed when there is something to show

	mu   sync.Mutex
	news sync.Cond // there is more on the tape, or nobody reads the stream

	answer answer
	tape   tape

	visible bool // shown is closed
	pumped  bool // a goroutine reads the stream, if no client does
	content bool // there was some, in an answer that is shown or held
	named   bool // the observer knows the thread that the request names

	owner   *Client // has begun the turn
	clients []*Client
	leaver  *Client     // the last one, who has stopped the turn
	leaving *time.Timer // the turn ends then
	leaves  int         // how often the last client was lost
	unread  int64       // bytes since then
	watcher *time.Timer

	over      bool
	end       End
	cause     error
	lingers   *time.Timer // until it is forgotten
	forgotten bool
	arrivals  []func() bool // of the clients that have read everything
	after     []func()      // to do without the lock
}

// newTurn returns a turn that is about to run.
func newTurn(ctx context.Context, s *Turns, r *Request) *Turn {
	t := &Turn{turns: s, r: *r, began: time.Now(), shown: make(chan struct{})}
	t.r.Ask, t.r.Settled, t.r.Turns = nil, nil, nil // they may hold on to a body; the turn is kept for longer
	t.r.Left, t.r.Arrived = nil, nil
	t.r.Credential = ""
	t.news.L = &t.mu
	t.tape = tape{budget: &s.budget, keep: r.Attach && r.Key != Key{}}
	t.ctx, t.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return t
}

// unlock gives the lock back and does what can only be done without it.
func (t *Turn) unlock() {
	gone := t.over && t.lingers == nil
	forget := gone && !t.forgotten
	t.forgotten = t.forgotten || forget
	if gone && len(t.clients) == 0 {
		t.tape.reset()
	}
	after := t.after
	t.after = nil
	t.mu.Unlock()
	if forget {
		t.turns.forget(t)
	}
	for _, f := range after {
		f()
	}
}

// wait waits for news.
func (t *Turn) wait() {
	if len(t.after) > 0 {
		t.unlock()
		t.mu.Lock()
		return
	}
	t.news.Wait()
}

// observe tells the observer something.
func (t *Turn) observe(what func(Observer)) {
	if t.r.Observer != nil {
		what(t.r.Observer)
	}
}

// later tells the observer something when the lock is given back.
func (t *Turn) later(what func(Observer)) {
	if t.r.Observer != nil {
		t.after = append(t.after, func() { what(t.r.Observer) })
	}
}

// show lets clients read what there is.
func (t *Turn) show() {
	if t.visible {
		return
	}
	t.visible = true
	close(t.shown)
	if !t.over {
		t.watcher = time.AfterFunc(Stall, t.watch)
	}
}

// finish ends the turn: the last frame is the backend's own, or ours.
func (t *Turn) finish(e End, err error) {
	if t.over {
		return
	}
	t.over, t.end, t.cause = true, e, err
	stop(t.answer.late, t.leaving, t.watcher)
	if event := t.lastEvent(e, err); event != nil {
		if t.answer.within {
			t.tape.append([]byte("\n\n"))
		}
		t.tape.append(event.Frame())
	}
	unread := e == OK && len(t.clients) == 0
	if e == OK && t.tape.keep {
		t.lingers = time.AfterFunc(Linger, t.expire)
	}
	t.judge(e, err)
	t.later(func(o Observer) { o.Ended(e, err, unread) })
	if e != Passed {
		t.cancel(err)
		t.closeAnswer()
	}
	t.show()
	t.news.Broadcast()
}

// lastEvent returns the event that ends the turn, nil if the backend's own frame
// does.
func (t *Turn) lastEvent(e End, err error) *chatkit.ErrorEvent {
	if t.answer.failed {
		return nil
	}
	if u, ok := errors.AsType[*Unanswered](err); ok {
		return &u.Event
	}
	return eventOf(e)
}

// expire forgets a turn that nobody came for.
func (t *Turn) expire() {
	t.mu.Lock()
	defer t.unlock()
	t.lingers = nil
}

// drain ends the turn because the process stops.
func (t *Turn) drain() {
	t.mu.Lock()
	defer t.unlock()
	t.finish(Drained, ErrDrained)
	t.stopLingering()
}

// stopLingering lets the turn be forgotten.
func (t *Turn) stopLingering() {
	stop(t.lingers)
	t.lingers = nil
}

// stop stops the timers that there are.
func stop(timers ...*time.Timer) {
	for _, t := range timers {
		if t != nil {
			t.Stop()
		}
	}
}
