package chain

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Attempt is one call to a provider.
type Attempt struct {
	// RequestID is the id of the request, for logs.
	RequestID string

	// Client is the context of the whole request: it is done when the client
	// has gone.
	Client context.Context //nolint:containedctx // an attempt is over when Try returns

	// Context is the context of the attempt itself, with its time limit. Begin replaces
	// it before the call by the one that the observer has for it.
	Context context.Context //nolint:containedctx // as above

	// Session says that the call asks for a session, which Cap bounds.
	Session bool
	// Carried says that the client's own content and credentials are on the way.
	Carried bool
	// Caller is who asks.
	Caller session.Caller
	// Life is how long the attempt may hold a probe of a half-open breaker, 0 for as
	// long as it takes.
	Life time.Duration

	// Again is how often the same request has asked the same provider before.
	Again int

	// Hedged says that another provider is being asked at the same time, and takes long.
	Hedged bool

	// Later are the providers that may be asked after this one. Where none of them
	// would be, a ramp does not refuse. Insist says that it never does.
	Later  []*Target
	Insist bool

	// Uploads says that the client's body is yet to come. How long that takes is up to
	// the client, so the attempt takes its place among those under way only when Call
	// calls Uploaded.
	Uploads bool

	// Call makes the call.
	Call func() error

	// Err is the error of the attempt after Try, for logs.
	Err error

	place place
}

// Try makes an attempt: it takes a permit, makes the call, judges the result by
// the classification table, tells the observer, and gives the permit back. The
// verdict on a provider that was not asked has a reason that is
// [session.Reason.Skipped].
//
// A panic in the call (of a third party's provider, say) costs the attempt, but
// not the request and not the permit.
func (t *Target) Try(a *Attempt) session.Verdict {
	v, held := t.begin(a)
	if held.done != nil {
		held.settle(v, nil)
	}
	return v
}

// Begin is Try for a call that may yet turn out to be of no use. If it succeeds the
// permit is not given back until settle is called, once, with the verdict; else
// settle is nil.
func (t *Target) Begin(a *Attempt) (v session.Verdict, settle func(session.Verdict, error)) {
	v, held := t.begin(a)
	if held.done == nil {
		return v, nil
	}
	return v, held.settle
}

// begin is Begin, for a caller who can do without a function. Where there is nothing to
// settle, held has no done.
func (t *Target) begin(a *Attempt) (v session.Verdict, held permit) {
	done, reason := t.permit(a)
	if reason != session.OK {
		if a.Again == 0 { // else the attempt before has the better reason
			t.Observer.Skipped(a.Client, reason)
		}
		return session.Verdict{Reason: reason, Effect: session.Excluded, Next: true}, permit{}
	}
	if a.Again > 0 {
		t.Observer.Retrying()
	}
	a.Context = t.Observer.Asking(a.Context, a.Again+1, a.Hedged)
	held = permit{t: t, a: a, done: done, start: time.Now()}
	v, err := t.call(a)
	a.place.leave()
	a.Err = err
	v.Carried = a.Carried
	if v.Effect != session.Success {
		held.settle(v, err)
		return v, permit{}
	}
	return v, held
}

// permit is the breaker's permit of an attempt that has begun.
type permit struct {
	t     *Target
	a     *Attempt
	done  func(session.Verdict, time.Duration)
	start time.Time
}

// settle gives the permit back with the verdict.
func (p permit) settle(v session.Verdict, err error) {
	v.Carried = p.a.Carried
	took := time.Since(p.start)
	if p.a.Session {
		p.done(v, took)
	} else {
		p.done(v, 0) // how long other answers take is up to what they are asked
	}
	p.t.Observer.Attempted(p.a.Context, p.a.RequestID, v, took, err)
}

// permit asks the breaker, then for a place, and for the cap where a session is asked
// for.
func (t *Target) permit(a *Attempt) (done func(session.Verdict, time.Duration), reason session.Reason) {
	done, reason = t.allow(a)
	switch {
	case reason != session.OK:
		return nil, reason
	case !a.place.take(t.Places, a):
		reason = session.Saturated
	case a.Session && t.Cap != nil && t.Cap.Take() > 0:
		a.place.leave()
		reason = session.RateLimited
	default:
		return done, session.OK
	}
	done(session.Verdict{Reason: reason, Effect: session.Excluded}, 0)
	return nil, reason
}

// allow asks the breaker. A ramp refuses only who has somewhere else to go: somebody
// has to answer.
func (t *Target) allow(a *Attempt) (done func(session.Verdict, time.Duration), reason session.Reason) {
	if a.Insist {
		return t.Breaker.Insist(a.Caller, a.Life)
	}
	done, reason = t.Breaker.Allow(a.Caller, a.Life)
	if reason != session.Ramp || slices.ContainsFunc(a.Later, func(n *Target) bool { return n.wouldAsk(a.Caller) }) {
		return done, reason
	}
	return t.Breaker.Insist(a.Caller, a.Life)
}

// call makes the call and judges it. A panic can also come from the methods of an
// error, such as those of a nil [*session.Failure].
func (t *Target) call(a *Attempt) (v session.Verdict, err error) {
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			err = &session.Failure{Reason: session.Misconfigured, Err: panicError(p)}
			v = t.judge(a, start, err)
		}
	}()
	if err = a.Call(); err == nil {
		return session.Verdict{Effect: session.Success}, nil
	}
	if v = t.judge(a, start, err); v.Reason == session.OK {
		err = nil // an answer that is passed on
	}
	return v, err
}

// judge judges an attempt that began at start and ended with err.
func (t *Target) judge(a *Attempt, start time.Time, err error) session.Verdict {
	if a.Carried {
		return session.ClassifyCarried(a.Client, a.Context, err, t.FallbackOn)
	}
	v := session.Classify(a.Client, a.Context, err, t.FallbackOn)
	if v.Reason == session.Canceled && a.abandoned(start) {
		return session.Abandon()
	}
	return v
}

// abandoned reports whether the client of a session attempt has left after more than
// half of the attempt's time limit.
func (a *Attempt) abandoned(start time.Time) bool {
	end, limited := a.Context.Deadline()
	if !a.Session || !limited || !errors.Is(a.Client.Err(), context.Canceled) {
		return false
	}
	return time.Since(start) > end.Sub(start)/2
}

// panicError describes a panic without repeating a value that may hold a secret.
func panicError(p any) error {
	if re, ok := p.(runtime.Error); ok {
		return fmt.Errorf("provider panicked: %w", re)
	}
	return fmt.Errorf("provider panicked with a %T", p)
}

// GiveUp skips the provider because nobody waits for the request any more. ctx is that
// of the request, and done.
func (t *Target) GiveUp(ctx context.Context) session.Verdict {
	v := session.Verdict{Reason: session.Canceled, Effect: session.Excluded}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) { // somebody else's time limit
		v.Reason = session.Budget
	}
	t.Observer.Skipped(ctx, v.Reason)
	return v
}
