package chain

import (
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// hedgedAfter returns when the first of these is not waited for alone any more. ok is
// false where it always is.
func hedgedAfter(left []*Target) (after time.Duration, ok bool) {
	t := left[0]
	if t.Hedge == nil {
		return 0, false
	}
	t.Hedge.Asked()
	if len(left) == 1 {
		return 0, false
	}
	return t.Hedge.After()
}

// race is two providers that are asked at the same time: the first and, since it takes
// long, another one.
//
// What one of them says counts as if they had been asked one after the other, with one
// exception: the session of the second does not wait for the first. So a refusal by the
// first ends the race, and one by the second counts only where the first fails. A first
// that refuses when the other's session is served already takes that session back.
//
// The one that loses is not cut off. A request that is on its way cannot be taken back
// by closing the connection, and nobody would ever know whether it made a session. So
// its answer is awaited within its own time limit, and its session is canceled.
type race struct {
	*run

	first, second *ask
	rest          []*Target
	firstOver     bool
	secondOver    *session.Verdict
	release       [2]func() // gives back the places for those that lose
}

// hedged asks the first of these, and if it has not answered after a time another one as
// well. It returns those that may still be asked, nil where nobody may.
func (r *run) hedged(left []*Target, after time.Duration) (rest []*Target) {
	start := time.Now()
	defer func() { r.res.Upstream += time.Since(start) }()
	first := r.begin(&ask{t: left[0], later: left[1:]})
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case v := <-first.rival.done:
		return r.alone(first, v, left[1:])
	case <-timer.C:
	}
	c := race{run: r, first: first}
	if !c.hedge(left) {
		return r.alone(first, <-first.rival.done, left[1:])
	}
	return c.decide()
}

// alone takes what became of the first where no other one was asked.
func (r *run) alone(first *ask, v session.Verdict, rest []*Target) []*Target {
	if !r.take(first, v) {
		return nil
	}
	return rest
}

// hedge asks the next provider that may be asked, and reports whether there is one.
func (c *race) hedge(left []*Target) bool {
	first := c.first.t
	i := slices.IndexFunc(left[1:], func(t *Target) bool {
		reason, probe := t.Breaker.Peek(c.who)
		return reason == session.OK && !probe && t.wouldAsk(c.who)
	}) + 1
	if i == 0 {
		return false
	}
	if !c.hold(first, left[i]) {
		first.Observer.Hedged(hedge.Capped)
		return false
	}
	if !first.Hedge.Take() {
		c.free()
		first.Observer.Hedged(hedge.Capped)
		return false
	}
	c.rest = append(slices.Clone(left[1:i]), left[i+1:]...) // nil would say that it is decided
	c.second = c.begin(&ask{t: left[i], later: left[i+1:], hedge: true})
	return true
}

// hold takes a place for each of the two, as either may lose.
func (c *race) hold(first, second *Target) bool {
	for i, t := range []*Target{first, second} {
		release, ok := t.Orphans.Hold(orphan.Loser)
		if !ok {
			c.free()
			return false
		}
		c.release[i] = release
	}
	return true
}

// free gives back the places that nobody needs.
func (c *race) free() {
	for _, release := range c.release {
		if release != nil {
			release()
		}
	}
}

// decide waits for the two until the race is decided.
func (c *race) decide() []*Target {
	for {
		var over bool
		var rest []*Target
		select {
		case v := <-c.first.rival.done:
			over, rest = c.firstIs(v)
		case v := <-c.second.rival.done:
			if len(c.first.rival.done) > 0 { // both at once: the first one counts first
				c.second.rival.done <- v
				over, rest = c.firstIs(<-c.first.rival.done)
				break
			}
			over, rest = c.secondIs(v)
		}
		if over {
			return rest
		}
	}
}

// firstIs takes what became of the first.
func (c *race) firstIs(v session.Verdict) (over bool, rest []*Target) {
	c.release[0]()
	c.firstOver = true
	next := c.take(c.first, v)
	switch {
	case next && c.secondOver == nil:
		return false, nil // the second is now the next one
	case next:
		return true, c.alone(c.second, *c.secondOver, c.rest)
	case c.secondOver != nil: // told already
	case v.Reason == session.Canceled, v.Reason == session.Abandoned:
		c.ends(hedge.Canceled)
	default:
		c.ends(hedge.Lost)
	}
	if c.secondOver == nil {
		c.second.lose(c.release[1], c.second.orphaned)
	}
	return true, nil
}

// secondIs takes what became of the second.
func (c *race) secondIs(v session.Verdict) (over bool, rest []*Target) {
	c.release[1]()
	switch v.Reason {
	case session.Canceled, session.Abandoned:
		c.ends(hedge.Canceled)
	case session.OK:
		c.ends(hedge.Won)
	default:
		c.ends(hedge.Failed)
	}
	if c.firstOver {
		return true, c.alone(c.second, v, c.rest)
	}
	c.secondOver = &v
	if v.Reason != session.OK {
		return false, nil
	}
	c.first.lose(c.release[0], c.lateFirst)
	slow := session.Verdict{Reason: session.Hedge, Effect: session.Excluded, Next: true}
	c.res.Add(Step{Target: c.first.t, Verdict: slow}, 0)
	c.take(c.second, v)
	return true, nil
}

func (c *race) ends(result hedge.Result) { c.first.t.Observer.Hedged(result) }

// lateFirst takes what became of the first when the second has been served.
func (c *race) lateFirst(v session.Verdict) {
	c.first.orphaned(v)
	if v.Reason != session.Rejected {
		return
	}
	c.ends(hedge.Refused)
	c.first.t.Observer.Withdrew(c.req.ID, c.second.t.Name)
	c.second.t.discard(*c.second.session, c.req.ID, c.withdrawn)
}
