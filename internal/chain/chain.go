package chain

import (
	"context"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// MinAttempt is the shortest attempt that makes sense. With less time left the
// provider is skipped with reason [session.Budget].
const MinAttempt = 10 * time.Millisecond

// Chain is the providers of a route. It holds no state of its own and is safe
// for concurrent use.
type Chain struct {
	Targets []*Target

	// Deadline is the longest one session request may take.
	Deadline time.Duration

	// Withdrawn is called with a session that was served although the caller may not
	// have it, as a provider said only later. Nil: nobody has to know.
	Withdrawn func(*session.Session)
}

// run is one session request on its way through the chain.
type run struct {
	ctx  context.Context
	req  *session.Request
	who  session.Caller
	over time.Time

	withdrawn func(*session.Session)

	res Result
	one ask // of the provider that is asked now, unless two are
}

// Run asks the providers in order, for who. It returns as soon as one has served,
// one has refused the caller, the client has gone or there is no provider left.
func (c *Chain) Run(ctx context.Context, req *session.Request, who session.Caller) Result {
	r := run{withdrawn: c.Withdrawn, ctx: ctx, req: req, who: who, over: time.Now().Add(c.Deadline)}
	for _, t := range c.Targets[min(1, len(c.Targets)):] {
		t.Breaker.Saw(who)
	}
	if r.through(c.Targets) {
		r.again()
	}
	return r.res
}

// through asks one provider after another. It reports whether another one might be
// asked.
func (r *run) through(left []*Target) bool {
	for len(left) > 0 {
		if after, ok := hedgedAfter(left); ok {
			if left = r.hedged(left, after); left == nil {
				return false
			}
			continue
		}
		r.one = ask{run: r, t: left[0], later: left[1:], ctx: r.ctx, session: &r.res.Session}
		v := r.one.do()
		r.res.Upstream += r.one.upstream
		if !r.take(&r.one, v) {
			return false
		}
		left = left[1:]
	}
	return true
}

// again asks those that a ramp has refused: nobody else has answered.
func (r *run) again() {
	for i, refused := range r.res.Steps {
		if refused.Verdict.Reason != session.Ramp {
			continue
		}
		r.one = ask{run: r, t: refused.Target, ctx: r.ctx, session: &r.res.Session, insist: true}
		v := r.one.do()
		r.res.Upstream += r.one.upstream
		if v.Reason == session.OK {
			r.res.Steps = r.res.Steps[:i]
			r.take(&r.one, v)
			return
		}
		r.res.Replace(i, Step{Target: refused.Target, Verdict: v, Err: r.one.err}, refused.Target.retryIn())
		if !v.Next {
			r.res.EndsAt(i)
			return
		}
	}
}

// take takes what became of a provider that was asked, and reports whether the next
// one may be.
func (r *run) take(a *ask, v session.Verdict) (next bool) {
	if v.Reason != session.OK {
		r.res.Add(Step{Target: a.t, Verdict: v, Err: a.err}, a.t.retryIn())
		return v.Next
	}
	r.res.Session, r.res.Served = *a.session, a.t
	if r.res.Fallback() {
		r.res.Steps[0].Target.Observer.FellBack(r.req.ID, a.t.Name, r.res.Reason())
	}
	return false
}
