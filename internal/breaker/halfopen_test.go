package breaker_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// probing is a breaker that has just become half-open.
func probing(t *testing.T, probes int) *rig {
	t.Helper()
	set := settings()
	set.Probes = probes
	b := newRig(t, set)
	b.trip()
	b.waitOpen()
	return b
}

// Given a half-open breaker, when twenty calls come at once, then exactly as many
// get through as it wants probes.
func TestHalfOpenGivesExactlyItsProbes(t *testing.T) {
	for _, probes := range []int{1, 2, 7} {
		t.Run(fmt.Sprint(probes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := probing(t, probes)
				var permits, refusals atomic.Int32
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						switch _, reason := b.Allow(); reason {
						case session.OK:
							permits.Add(1)
						case session.Open:
							refusals.Add(1)
						default:
							t.Errorf("refused: %s", reason)
						}
					})
				}
				wg.Wait()
				if int(permits.Load()) != probes || int(refusals.Load()) != 20-probes {
					t.Errorf("%d permits, %d refusals", permits.Load(), refusals.Load())
				}
				b.is(breaker.HalfOpen)
			})
		})
	}
}

// Given a breaker that wants three probes, then it closes with the third success
// and with none before.
func TestHalfOpenClosesWhenAllProbesSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := probing(t, 3)
		b.call(ok, ok)
		b.is(breaker.HalfOpen)
		b.call(ok)
		b.is(breaker.Closed)
		b.told(opened, halfway, closed)
	})
}

func TestHalfOpenOneFailedProbeOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := probing(t, 3)
		first, second, third := b.allowed(), b.allowed(), b.allowed()
		first.end(ok)
		second.end(fail)
		b.is(breaker.Open)
		until := b.OpenUntil()
		third.end(ok) // too late to matter
		b.is(breaker.Open)
		if b.OpenUntil() != until {
			t.Errorf("open until %s, was %s", b.OpenUntil(), until)
		}
	})
}

// Given probe after probe that fails, then each open time is twice the last, up
// to the longest; when one succeeds, the next open time is the first again.
func TestHalfOpenFailedProbesDoubleTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		b.trip()
		for _, want := range []int{15, 30, 60, 120, 120, 120} {
			if in := b.RetryIn(); !near(in, time.Duration(want)*time.Second) {
				t.Fatalf("open for %s, want about %d s", in, want)
			}
			b.waitOpen()
			b.call(fail)
		}
		b.waitOpen()
		b.call(ok)
		b.trip()
		if in := b.RetryIn(); !near(in, 15*time.Second) {
			t.Errorf("open for %s after it was closed", in)
		}
	})
}

func TestHalfOpenTimeDoesNotDoubleBeyondItsMax(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		set.Open, set.MaxOpen = 15*time.Second, 20*time.Second
		b := newRig(t, set)
		b.trip()
		b.waitOpen()
		b.call(fail)
		if in := b.RetryIn(); !near(in, 20*time.Second) {
			t.Errorf("open for %s", in)
		}
	})
}

// Given clients that leave before their probe has a result, then each
// gives its permit back: the breaker waits for a probe that does tell.
func TestHalfOpenIsNotWedgedByClientsThatLeave(t *testing.T) {
	for _, probes := range []int{1, 2} {
		t.Run(fmt.Sprint(probes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := probing(t, probes)
				for range 50 {
					p := b.allowed()
					time.Sleep(time.Second)
					p.end(excluded)
					b.is(breaker.HalfOpen)
				}
				b.call(times(probes, ok)...)
				b.is(breaker.Closed)
			})
		})
	}
}

func TestHalfOpenExcludedProbeIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := probing(t, 2)
		b.call(ok, excluded)
		b.is(breaker.HalfOpen)
		b.call(ok)
		b.is(breaker.Closed)
	})
}

// A probe that never ends holds the breaker: it is the caller's time limit that
// bounds this, and nothing can be said about when it ends.
func TestHalfOpenWhileAProbeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := probing(t, 1)
		probe := b.allowed()
		time.Sleep(time.Hour)
		b.refused(session.Open)
		if in := b.RetryIn(); in != 0 {
			t.Errorf("retry in %s", in)
		}
		probe.end(ok)
		b.is(breaker.Closed)
	})
}
