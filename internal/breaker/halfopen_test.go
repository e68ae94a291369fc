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

// probing is a gate that has just become half-open.
func probing(t *testing.T, probes int) *rig {
	t.Helper()
	set := settings()
	set.Probes = probes
	g := newRig(t, set)
	g.trip()
	g.waitOpen()
	return g
}

// Given a half-open gate, when twenty calls come at once, then exactly as many
// get through as it wants probes.
func TestHalfOpenGivesExactlyItsProbes(t *testing.T) {
	for _, probes := range []int{1, 2, 7} {
		t.Run(fmt.Sprint(probes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := probing(t, probes)
				var permits, refusals atomic.Int32
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						switch _, reason := g.Allow(); reason {
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
				g.is(breaker.HalfOpen)
			})
		})
	}
}

// Given a gate that wants three probes, then it closes with the third success
// and with none before.
func TestHalfOpenClosesWhenAllProbesSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := probing(t, 3)
		g.call(ok, ok)
		g.is(breaker.HalfOpen)
		g.call(ok)
		g.is(breaker.Closed)
		g.told(opened, halfway, closed)
	})
}

func TestHalfOpenOneFailedProbeOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := probing(t, 3)
		first, second, third := g.allowed(), g.allowed(), g.allowed()
		first.end(ok)
		second.end(fail)
		g.is(breaker.Open)
		until := g.OpenUntil()
		third.end(ok) // too late to matter
		g.is(breaker.Open)
		if g.OpenUntil() != until {
			t.Errorf("open until %s, was %s", g.OpenUntil(), until)
		}
	})
}

// Given probe after probe that fails, then each open time is twice the last, up
// to the longest; when one succeeds, the next open time is the first again.
func TestHalfOpenFailedProbesDoubleTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.trip()
		for _, want := range []int{15, 30, 60, 120, 120, 120} {
			if in := g.RetryIn(); !near(in, time.Duration(want)*time.Second) {
				t.Fatalf("open for %s, want about %d s", in, want)
			}
			g.waitOpen()
			g.call(fail)
		}
		g.waitOpen()
		g.call(ok)
		g.trip()
		if in := g.RetryIn(); !near(in, 15*time.Second) {
			t.Errorf("open for %s after it was closed", in)
		}
	})
}

func TestHalfOpenTimeDoesNotDoubleBeyondItsMax(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		set.Open, set.MaxOpen = 15*time.Second, 20*time.Second
		g := newRig(t, set)
		g.trip()
		g.waitOpen()
		g.call(fail)
		if in := g.RetryIn(); !near(in, 20*time.Second) {
			t.Errorf("open for %s", in)
		}
	})
}

// Given clients that leave before their probe has told anything, then each
// gives its permit back: the gate waits for a probe that does tell.
func TestHalfOpenIsNotWedgedByClientsThatLeave(t *testing.T) {
	for _, probes := range []int{1, 2} {
		t.Run(fmt.Sprint(probes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := probing(t, probes)
				for range 50 {
					p := g.allowed()
					time.Sleep(time.Second)
					p.end(excluded)
					g.is(breaker.HalfOpen)
				}
				g.call(times(probes, ok)...)
				g.is(breaker.Closed)
			})
		})
	}
}

func TestHalfOpenExcludedProbeIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := probing(t, 2)
		g.call(ok, excluded)
		g.is(breaker.HalfOpen)
		g.call(ok)
		g.is(breaker.Closed)
	})
}

// A probe that never ends holds the gate: it is the caller's time limit that
// bounds this, and nothing can be said about when it ends.
func TestHalfOpenWhileAProbeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := probing(t, 1)
		probe := g.allowed()
		time.Sleep(time.Hour)
		g.refused(session.Open)
		if in := g.RetryIn(); in != 0 {
			t.Errorf("retry in %s", in)
		}
		probe.end(ok)
		g.is(breaker.Closed)
	})
}
