package chain

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// MinAttempt is the least time worth giving to an attempt: with less left the
// provider is skipped for want of [session.Budget].
const MinAttempt = 10 * time.Millisecond

// Chain is the providers of a route. It holds no state of its own and is safe
// for concurrent use.
type Chain struct {
	Links []*Link

	// Deadline is the longest one session request may take.
	Deadline time.Duration
}

// run is one session request on its way through the chain.
type run struct {
	*Chain
	ctx context.Context
	req *session.Request
	obs Observer
	end time.Time
	res Result
}

// Run asks the providers in order and returns as soon as one has served, one
// has refused the caller, the client has gone or nobody is left.
func (c *Chain) Run(ctx context.Context, req *session.Request, obs Observer) Result {
	r := run{Chain: c, ctx: ctx, req: req, obs: obs, end: time.Now().Add(c.Deadline)}
	for i, l := range c.Links {
		v := r.ask(l, c.Links[i+1:])
		if v.Reason == session.OK {
			r.res.Served = l
			break
		}
		r.res.Trail = append(r.res.Trail, Step{Link: l, Verdict: v})
		if !v.Next {
			break
		}
	}
	return r.res
}

// ask calls one provider, again where that is safe and affordable, and returns
// the verdict on it.
func (r *run) ask(l *Link, later []*Link) session.Verdict {
	var last session.Verdict
	for try := 0; ; try++ {
		if r.ctx.Err() != nil {
			return r.left(l)
		}
		limit := r.share(l, later)
		if limit < MinAttempt {
			return r.outOfTime(l, last)
		}
		done, reason := l.Gate.Allow()
		if reason != session.OK {
			return r.skipped(l, reason, last)
		}
		// Only now is it sure that the provider is asked, or asked again.
		if try == 0 {
			l.RetryBudget.Earn()
		} else {
			r.obs.Retrying(l)
		}
		last = r.attempt(l, limit, done)
		if !last.Retry || try >= l.Retries || !l.RetryBudget.Spend() {
			return last
		}
		if !r.pause(l, later, try) && r.ctx.Err() == nil {
			return last
		}
	}
}

// share is the time an attempt gets: its own limit, and never so much of the
// deadline that the providers still to come could not be asked.
func (r *run) share(l *Link, later []*Link) time.Duration {
	return min(l.Timeout, r.spare(later))
}

// spare is what of the deadline is not kept for the providers still to come.
// Each of those is sure of an even part of what is left, or of its own limit if
// that is less.
func (r *run) spare(later []*Link) time.Duration {
	left := time.Until(r.end)
	even := left / time.Duration(len(later)+1)
	for _, n := range later {
		left -= min(n.Timeout, even)
	}
	return left
}

// outOfTime ends the chain: before the first attempt nothing is known about
// the provider, after it the attempt's own verdict is the better one.
func (r *run) outOfTime(l *Link, last session.Verdict) session.Verdict {
	if last.Reason != session.OK {
		return last
	}
	v := session.Verdict{Reason: session.Budget, Effect: session.Excluded}
	r.obs.Skipped(l, v.Reason)
	return v
}

// left ends the chain because nobody waits for it any more.
func (r *run) left(l *Link) session.Verdict {
	v := session.Verdict{Reason: session.Canceled, Effect: session.Excluded}
	if errors.Is(r.ctx.Err(), context.DeadlineExceeded) { // somebody else's time limit
		v.Reason = session.Budget
	}
	r.obs.Skipped(l, v.Reason)
	return v
}

// skipped notes that the gate refused. A breaker that opened between an attempt
// and its retry does not change why the provider failed.
func (r *run) skipped(l *Link, reason session.Reason, last session.Verdict) session.Verdict {
	if last.Reason != session.OK {
		return last
	}
	if in := l.Gate.RetryIn(); r.res.RetryIn == 0 || in < r.res.RetryIn {
		r.res.RetryIn = in
	}
	r.obs.Skipped(l, reason)
	return session.Verdict{Reason: reason, Effect: session.Excluded, Next: true}
}

// attempt is one call to one provider, under a permit.
func (r *run) attempt(l *Link, limit time.Duration, done func(session.Effect, time.Duration)) session.Verdict {
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	start := time.Now()
	s, v, err := r.call(ctx, l)
	took := time.Since(start)
	r.obs.Attempted(l, v, took, err) // first: it knows then why a breaker opens
	done(v.Effect, took)
	if v.Cooldown > 0 {
		l.Gate.CoolDown(v.Cooldown)
	}
	r.res.Upstream += took
	r.res.Session = s
	return v
}

// call calls the provider and judges what came of it. A panic in one (a third
// party's, say) costs the attempt, not the request and not the permit; nor does
// one in the methods of its error, such as those of a nil [*session.Failure].
func (r *run) call(ctx context.Context, l *Link) (s session.Session, v session.Verdict, err error) {
	defer func() {
		if e := recover(); e != nil {
			s, err = session.Session{}, &session.Failure{Reason: session.Misconfigured, Err: panicError(e)}
			v = session.Classify(r.ctx, ctx, err, l.Onward)
		}
	}()
	if s, err = l.Provider.Create(ctx, r.req); err == nil {
		err = s.Check(time.Now())
	}
	if err != nil {
		s = session.Session{}
	}
	return s, session.Classify(r.ctx, ctx, err, l.Onward), err
}

// panicError tells of a panic without repeating a value that may hold a secret.
func panicError(e any) error {
	if re, ok := e.(runtime.Error); ok {
		return fmt.Errorf("provider panicked: %w", re)
	}
	return fmt.Errorf("provider panicked with a %T", e)
}

// pause waits before a retry: exponential backoff with full jitter. It returns
// false where the client left or no time would be left after it, the part of
// the providers still to come not counted.
func (r *run) pause(l *Link, later []*Link, try int) bool {
	wait := fullJitter(l.Backoff, try)
	if r.spare(later) < wait+MinAttempt {
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
