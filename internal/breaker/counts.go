package breaker

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// call is what a call that ended counts as.
type call struct {
	failed, unreached, slow bool
	reason                  string // of a bad one
}

// bad reports whether the call speaks against the provider. Where slow calls open
// the breaker a slow probe must not close it.
func (c call) bad() bool { return c.failed || c.slow }

// counts is what a closed breaker knows of its calls.
//
// A failure that a request's content can cause says little when one caller alone has
// it: anybody could take the provider away from everybody. So the breaker keeps in
// mind whose these failures are. No request can cause one without a connection.
type counts struct {
	// Failures in a row, never decayed: without a connection, and others.
	unreached, content int
	row                crowd // whose the others are

	window        window
	failing, slow crowd // whose the failures with a connection and the slow calls are
}

func newCounts(span time.Duration, now time.Time) counts { return counts{window: newWindow(span, now)} }

// clear forgets everything.
func (c *counts) clear(now time.Time) {
	w := c.window
	w.clear(now)
	*c = counts{window: w}
}

// inARow returns the number of failures in a row.
func (c *counts) inARow() int { return c.unreached + c.content }

// add counts one call that ended at now.
func (c *counts) add(now time.Time, who session.Caller, ended call) {
	switch {
	case ended.unreached:
		c.unreached++
	case ended.failed:
		c.content++
		c.row.add(who, now)
		c.failing.add(who, now)
	default:
		c.unreached, c.content, c.row = 0, 0, crowd{}
	}
	if ended.slow {
		c.slow.add(who, now)
	}
	c.window.add(now, ended)
}

// trip reports whether the breaker must open after a bad call, and whether slow calls
// are why. alone reports whether there is only one caller, who then decides.
func (c *counts) trip(set *Settings, now time.Time, alone bool) (trip, slow bool) {
	n := c.unreached
	if alone || !c.row.pair.IsZero() {
		n += c.content
	}
	if set.Consecutive > 0 && n >= set.Consecutive {
		return true, false
	}
	t := c.window.sum(now)
	if set.Ratio > 0 && t.countable(alone || now.Sub(c.failing.pair) < set.Window).reaches(set) {
		return true, false
	}
	several := alone || now.Sub(c.slow.pair) < set.Window
	slow = set.SlowRatio > 0 && several && t.calls >= set.MinCalls && float64(t.slow) >= set.SlowRatio*float64(t.calls)
	return slow, slow
}

// countable returns the tally as the ratio of failures sees it: without failures that
// one of many callers alone has, which are then no calls either.
func (t tally) countable(all bool) tally {
	if !all {
		t.calls -= t.failed - t.unreached
		t.failed = t.unreached
	}
	return t
}

// reaches reports whether the ratio of failures opens the breaker.
func (t tally) reaches(set *Settings) bool {
	return t.calls >= set.MinCalls && float64(t.failed) >= set.Ratio*float64(t.calls)
}
