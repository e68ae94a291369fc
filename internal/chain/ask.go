package chain

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// ask is one provider that is asked for the session of a request, again where that is
// safe and affordable.
type ask struct {
	*run

	t     *Target
	later []*Target       // for whom time is kept
	ctx   context.Context //nolint:containedctx // done when the client has gone

	session  *session.Session
	made     Attempt // the last one
	err      error   // of the last attempt
	upstream time.Duration

	rival  *rival // nil where it is the only one
	hedge  bool   // of another one that takes long
	insist bool   // a ramp does not refuse
}

// do asks the provider and returns the verdict on it.
func (a *ask) do() session.Verdict {
	t := a.t
	var last session.Verdict
	for try := 0; ; try++ {
		if a.ctx.Err() != nil {
			return t.GiveUp(a.ctx)
		}
		limit := min(t.Timeout, a.unreserved())
		if limit < MinAttempt {
			return a.outOfTime(last)
		}
		v := a.attempt(limit, try)
		if try > 0 && v.Reason.Skipped() { // the breaker has opened meanwhile
			return last
		}
		last = v
		if !v.Retry || try >= t.Retries || a.hasLost() || !t.RetryBudget.Spend() {
			return v
		}
		if !a.pause(try) && a.ctx.Err() == nil {
			return v
		}
	}
}

// attempt asks the provider once. again is how often it was asked before.
func (a *ask) attempt(limit time.Duration, again int) session.Verdict {
	ctx, cancel := context.WithTimeout(a.ctx, limit)
	defer cancel()
	start := time.Now()
	a.made = Attempt{
		RequestID: a.req.ID, Client: a.ctx, Context: ctx, Session: true, Again: again, Hedged: a.hedge,
		Caller: a.who, Life: 2 * limit, Later: a.later, Insist: a.insist || again > 0,
		Call: func() (err error) {
			if again == 0 {
				a.t.RetryBudget.Earn()
			}
			*a.session, err = a.t.session(a.made.Context, a.req)
			return err
		},
	}
	a.err = nil
	v := a.t.Try(&a.made)
	took := time.Since(start)
	a.upstream += took
	switch {
	case v.Reason == session.OK && a.t.Hedge != nil:
		a.t.Hedge.Answered(took)
	case v.Reason != session.OK && !v.Reason.Skipped():
		a.err = a.made.Err
	}
	return v
}

// unreserved is the part of the deadline that is not kept for later providers.
// Each of them that would be asked now is sure of an even part of what is left, or
// of its own time limit if that is less.
func (a *ask) unreserved() time.Duration {
	left := time.Until(a.over)
	asked := 0
	for _, n := range a.later {
		if n.wouldAsk(a.who) {
			asked++
		}
	}
	if asked == 0 {
		return left
	}
	even := left / time.Duration(asked+1)
	for _, n := range a.later {
		if n.wouldAsk(a.who) {
			left -= min(n.Timeout, even)
		}
	}
	return left
}

// outOfTime ends the chain. Before the first attempt nothing is known about the
// provider, after it the attempt has the better verdict.
func (a *ask) outOfTime(last session.Verdict) session.Verdict {
	if last.Reason != session.OK {
		return last
	}
	a.t.Observer.Skipped(a.ctx, session.Budget)
	return session.Verdict{Reason: session.Budget, Effect: session.Excluded}
}

// pause waits before a retry. It returns false if the client left, if another provider
// has answered, or if too little time would be left after it.
func (a *ask) pause(try int) bool {
	wait := a.t.wait(try)
	if a.unreserved() < wait+MinAttempt {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		a.upstream += wait
		return true
	case <-a.ctx.Done():
		return false
	case <-a.lost():
		return false
	}
}

// wait is how long to wait before a retry.
func (t *Target) wait(try int) time.Duration {
	if t.Schedule > 0 {
		return min(t.Schedule, time.Minute) << min(try, 10)
	}
	return fullJitter(t.Backoff, try)
}

// fullJitter returns a random wait between 0 and base·2^try.
func fullJitter(base time.Duration, try int) time.Duration {
	longest := min(base, time.Minute) << min(try, 10)
	return rand.N(longest + 1) //nolint:gosec // spreads load, keeps no secret
}
