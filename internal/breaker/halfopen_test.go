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
						switch _, reason := b.Allow(session.Caller{}, 0); reason {
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

func TestHalfOpen(t *testing.T) {
	type row struct {
		probes int
		scene  func(*rig)
	}
	each(t, map[string]row{
		"closes when all probes succeed": {3, func(b *rig) {
			b.call(ok, ok)
			b.is(breaker.HalfOpen)
			b.call(ok)
			b.is(breaker.Closed)
			b.told(opened, halfway, closed)
		}},
		"opens when one probe of many fails": {3, func(b *rig) {
			first, second, third := b.allowed(), b.allowed(), b.allowed()
			first.end(ok)
			second.end(fail)
			b.is(breaker.Open)
			until := b.OpenUntil()
			third.end(ok) // too late to matter
			b.is(breaker.Open)
			if b.OpenUntil() != until {
				b.t.Errorf("open until %s, was %s", b.OpenUntil(), until)
			}
		}},
		"excluded probes do not count": {2, func(b *rig) {
			b.call(ok, excluded)
			b.is(breaker.HalfOpen)
			b.call(ok)
			b.is(breaker.Closed)
		}},
		// A probe that never ends holds the breaker: it is the caller's time limit that
		// bounds this, and nothing can be said about when it ends.
		"while a probe hangs": {1, func(b *rig) {
			probe := b.allowed()
			time.Sleep(time.Hour)
			b.refused(session.Open)
			if in := b.RetryIn(); in != 0 {
				b.t.Errorf("retry in %s", in)
			}
			probe.end(ok)
			b.is(breaker.Closed)
		}},
	}, func(t *testing.T, c row) { c.scene(probing(t, c.probes)) })
}

// Given probe after probe that fails, then each open time is twice the last, up
// to the longest; when one succeeds, the next open time is the first again.
func TestHalfOpenFailedProbesDoubleTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		set.MaxOpen = 100 * time.Second // also where it is not the first doubled
		b := newRig(t, set)
		b.trip()
		for _, want := range []int{15, 30, 60, 100, 100} {
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
