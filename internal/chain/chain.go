package chain

import (
	"context"
	"math/rand/v2"
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
}

// run is one session request on its way through the chain.
type run struct {
	ctx context.Context
	req *session.Request
	who session.Caller
	end time.Time
	res Result
	err error // of the last attempt

	insist bool // those are asked that a ramp has refused
}

// Run asks the providers in order, for who. It returns as soon as one has served,
// one has refused the caller, the client has gone or there is no provider left.
func (c *Chain) Run(ctx context.Context, req *session.Request, who session.Caller) Result {
	r := run{ctx: ctx, req: req, who: who, end: time.Now().Add(c.Deadline)}
	for _, t := range c.Targets[min(1, len(c.Targets)):] {
		t.Breaker.Saw(who)
	}
	if r.through(c.Targets) {
		r.again()
	}
	return r.res
}

// through asks one provider after another. It reports whether another one may be
// asked.
func (r *run) through(targets []*Target) bool {
	for i, t := range targets {
		r.err = nil
		v := r.ask(t, targets[i+1:])
		if v.Reason == session.OK {
			r.served(t)
			return false
		}
		r.res.Add(Step{Target: t, Verdict: v, Err: r.err}, t.retryIn())
		if !v.Next {
			return false
		}
	}
	return true
}

// again asks those that a ramp has refused: nobody else has answered.
func (r *run) again() {
	r.insist = true
	for i, refused := range r.res.Steps {
		if refused.Verdict.Reason != session.Ramp {
			continue
		}
		r.err = nil
		v := r.ask(refused.Target, nil)
		if v.Reason == session.OK {
			r.res.Steps = r.res.Steps[:i]
			r.served(refused.Target)
			return
		}
		r.res.Replace(i, Step{Target: refused.Target, Verdict: v, Err: r.err}, refused.Target.retryIn())
		if !v.Next {
			r.res.EndsAt(i)
			return
		}
	}
}

// served notes who served.
func (r *run) served(t *Target) {
	r.res.Served = t
	if r.res.Fallback() {
		r.res.Steps[0].Target.Observer.FellBack(r.req.ID, t.Name, r.res.Reason())
	}
}

// ask asks one provider, again where that is safe and affordable, and returns the
// verdict on it.
func (r *run) ask(t *Target, later []*Target) session.Verdict {
	var last session.Verdict
	for try := 0; ; try++ {
		if err := r.ctx.Err(); err != nil {
			return t.GiveUp(err)
		}
		limit := min(t.Timeout, r.unreserved(later))
		if limit < MinAttempt {
			return r.outOfTime(t, last)
		}
		v := r.attempt(t, later, limit, try > 0)
		if try > 0 && v.Reason.Skipped() { // the breaker has opened meanwhile
			return last
		}
		last = v
		if !v.Retry || try >= t.Retries || !t.RetryBudget.Spend() {
			return v
		}
		if !r.pause(t, later, try) && r.ctx.Err() == nil {
			return v
		}
	}
}

// attempt asks a provider once.
func (r *run) attempt(t *Target, later []*Target, limit time.Duration, again bool) session.Verdict {
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	start := time.Now()
	a := Attempt{
		RequestID: r.req.ID, Client: r.ctx, Context: ctx, Session: true, Again: again,
		Caller: r.who, Life: 2 * limit, Later: later, Insist: r.insist || again,
		Call: func() (err error) {
			if !again {
				t.RetryBudget.Earn()
			}
			r.res.Session, err = t.create(ctx, r.req)
			return err
		},
	}
	v := t.Try(&a)
	if v.Reason != session.OK && !v.Reason.Skipped() {
		r.err = a.Err
	}
	r.res.Upstream += time.Since(start)
	return v
}

// unreserved is the part of the deadline that is not kept for later providers.
// Each of them that would be asked now is sure of an even part of what is left, or
// of its own time limit if that is less.
func (r *run) unreserved(later []*Target) time.Duration {
	left := time.Until(r.end)
	asked := 0
	for _, n := range later {
		if n.wouldAsk(r.who) {
			asked++
		}
	}
	if asked == 0 {
		return left
	}
	even := left / time.Duration(asked+1)
	for _, n := range later {
		if n.wouldAsk(r.who) {
			left -= min(n.Timeout, even)
		}
	}
	return left
}

// outOfTime ends the chain. Before the first attempt nothing is known about the
// provider, after it the attempt has the better verdict.
func (r *run) outOfTime(t *Target, last session.Verdict) session.Verdict {
	if last.Reason != session.OK {
		return last
	}
	t.Observer.Skipped(session.Budget)
	return session.Verdict{Reason: session.Budget, Effect: session.Excluded}
}

// pause waits before a retry. It returns false if the client left, or if too
// little time would be left after it.
func (r *run) pause(t *Target, later []*Target, try int) bool {
	wait := fullJitter(t.Backoff, try)
	if r.unreserved(later) < wait+MinAttempt {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		r.res.Upstream += wait
		return true
	case <-r.ctx.Done():
		return false
	}
}

// fullJitter returns a random wait between 0 and base·2^try.
func fullJitter(base time.Duration, try int) time.Duration {
	longest := min(base, time.Minute) << min(try, 10)
	return rand.N(longest + 1) //nolint:gosec // spreads load, keeps no secret
}
