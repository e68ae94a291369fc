package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// near reports whether got is within the jitter of want.
func near(got, want time.Duration) bool {
	return float64(got) >= float64(want)*(1-breaker.Jitter)-1 && float64(got) <= float64(want)*(1+breaker.Jitter)+1
}

// Given an open breaker, then it refuses until the open time is over, and says how
// long that is.
func TestOpenRefusesUntilItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		b.trip()
		until := b.OpenUntil()
		if !near(time.Until(until), 15*time.Second) {
			t.Fatalf("open for %s", time.Until(until))
		}
		for time.Until(until) > time.Second {
			b.refused(session.Open)
			if got := b.RetryIn(); got != time.Until(until) {
				t.Fatalf("retry in %s, want %s", got, time.Until(until))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Until(until) - 1)
		b.refused(session.Open)
		time.Sleep(2 * time.Nanosecond)
		b.call(ok)
		b.is(breaker.Closed)
	})
}

// Given an open breaker that nobody calls, when its time is over, then whoever
// looks sees that: a gauge that is only read must not stay on "open".
func TestOpenEndsWithoutACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		b.trip()
		time.Sleep(time.Hour)
		if at := b.OpenUntil(); !at.IsZero() {
			t.Errorf("open until %s", at)
		}
		if in := b.RetryIn(); in != 0 {
			t.Errorf("retry in %s", in)
		}
		b.told(opened)
		b.is(breaker.HalfOpen)
		b.told(opened, halfway)
		b.is(breaker.HalfOpen)
		b.told(opened, halfway)
	})
}

func TestOpenTimeIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short, long := time.Hour, time.Duration(0)
		for range 200 {
			b := newRig(t, settings())
			b.trip()
			in := b.RetryIn()
			if !near(in, 15*time.Second) {
				t.Fatalf("open for %s", in)
			}
			short, long = min(short, in), max(long, in)
		}
		if long-short < time.Second {
			t.Errorf("200 breakers open for %s to %s", short, long)
		}
	})
}
