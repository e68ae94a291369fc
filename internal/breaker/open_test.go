package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// near tells whether got is within the jitter of want.
func near(got, want time.Duration) bool {
	return float64(got) >= float64(want)*(1-breaker.Jitter)-1 && float64(got) <= float64(want)*(1+breaker.Jitter)+1
}

// Given an open gate, then it refuses until the open time is over, and says how
// long that is.
func TestOpenRefusesUntilItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.trip()
		until := g.OpenUntil()
		if !near(time.Until(until), 15*time.Second) {
			t.Fatalf("open for %s", time.Until(until))
		}
		for time.Until(until) > time.Second {
			g.refused(session.Open)
			if got := g.RetryIn(); got != time.Until(until) {
				t.Fatalf("retry in %s, want %s", got, time.Until(until))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Until(until) - 1)
		g.refused(session.Open)
		time.Sleep(2 * time.Nanosecond)
		g.call(ok)
		g.is(breaker.Closed)
	})
}

// Given an open gate that nobody calls, when its time is over, then whoever
// looks sees so: a gauge that is only read must not stay on "open".
func TestOpenEndsWithoutACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.trip()
		time.Sleep(time.Hour)
		if at := g.OpenUntil(); !at.IsZero() {
			t.Errorf("open until %s", at)
		}
		if in := g.RetryIn(); in != 0 {
			t.Errorf("retry in %s", in)
		}
		g.told(opened)
		g.is(breaker.HalfOpen)
		g.told(opened, halfway)
		g.is(breaker.HalfOpen)
		g.told(opened, halfway)
	})
}

func TestOpenTimeIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short, long := time.Hour, time.Duration(0)
		for range 200 {
			g := newRig(t, settings())
			g.trip()
			in := g.RetryIn()
			if !near(in, 15*time.Second) {
				t.Fatalf("open for %s", in)
			}
			short, long = min(short, in), max(long, in)
		}
		if long-short < time.Second {
			t.Errorf("200 gates open for %s to %s", short, long)
		}
	})
}
