package breaker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// probeScenes runs each of the scenes with a breaker that has just become half-open,
// after alice and bob have asked it.
func probeScenes(t *testing.T, all map[string]func(*rig)) {
	t.Helper()
	each(t, all, func(t *testing.T, scene func(*rig)) {
		b := newRig(t, bySlowness())
		b.ends(ended{who: alice}, ended{who: bob})
		b.trip()
		b.waitOpen()
		scene(b)
	})
}

// Given others, when one caller's probe fails for a reason that its request may have,
// or says nothing, then the breaker stays half-open, and the next probe is somebody
// else's.
func TestProbeOfOneCaller(t *testing.T) {
	ways := map[string]ended{"a slow success": {who: alice, took: time.Second}}
	for _, r := range append(content(), session.Rejected, session.Canceled, session.Status4xx) {
		ways[string(r)] = ended{who: alice, reason: r}
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			probeScenes(t, map[string]func(*rig){
				"is followed by another's": func(b *rig) {
					b.ends(way)
					b.is(breaker.HalfOpen)
					b.refusedTo(alice, session.Open)
					b.refusedTo(visitor, session.Open) // may be alice
					b.cools(0)
					if reason, probe := b.Peek(bob); reason != session.OK || !probe {
						b.t.Errorf("bob would get %q, probe %t", reason, probe)
					}
					b.ends(ended{who: bob})
					b.is(breaker.Closed)
					b.ends(ended{who: alice})
				},
				"is hers again where nobody else asks for as long as it was open": func(b *rig) {
					b.ends(way)
					time.Sleep(15*time.Second - 1)
					b.refusedTo(alice, session.Open)
					time.Sleep(time.Nanosecond)
					b.ends(ended{who: alice})
					b.is(breaker.Closed)
				},
				"is not hers while others ask": func(b *rig) {
					b.ends(way)
					for range 10 {
						time.Sleep(10 * time.Second)
						b.allowedTo(bob)(session.Verdict{Reason: session.RateLimited}, 0)
						b.refusedTo(alice, session.Open)
					}
				},
			})
		})
	}
}

func TestProbeThatOpensAgain(t *testing.T) {
	probeScenes(t, map[string]func(*rig){
		"two callers' failures": func(b *rig) {
			b.ends(ended{who: alice, reason: session.Timeout}, ended{who: bob, reason: session.Status5xx})
			b.is(breaker.Open)
			if in := b.RetryIn(); !near(in, 30*time.Second) {
				b.t.Errorf("open for %s", in)
			}
		},
		"without a connection": func(b *rig) {
			b.ends(ended{who: alice, reason: session.Dial})
			b.is(breaker.Open)
		},
		"of the only caller": func(b *rig) {
			time.Sleep(time.Minute + 1)
			b.ends(ended{who: alice, reason: session.Timeout})
			b.is(breaker.Open)
		},
		"a failure and a slow success": func(b *rig) {
			b.ends(ended{who: alice, reason: session.Reset}, ended{who: bob, took: time.Second})
			b.is(breaker.Open)
		},
		"not a failure and a refusal": func(b *rig) {
			b.ends(ended{who: alice, reason: session.Reset}, ended{who: bob, reason: session.Rejected})
			b.is(breaker.HalfOpen)
			b.ends(ended{who: carol})
			b.is(breaker.Closed)
		},
		"not two failures of two open times": func(b *rig) {
			b.ends(ended{who: alice, reason: session.Reset}, ended{who: bob, reason: session.Reset})
			b.waitOpen()
			b.ends(ended{who: alice, reason: session.Reset})
			b.is(breaker.HalfOpen)
			b.ends(ended{who: bob})
			b.is(breaker.Closed)
		},
	})
}

// A provider that had no token left was not asked: its caller has done nothing.
func TestProbeThatWasNotUsed(t *testing.T) {
	probeScenes(t, map[string]func(*rig){"": func(b *rig) {
		b.ends(ended{who: alice, reason: session.RateLimited}, ended{who: alice})
		b.is(breaker.Closed)
	}})
}

// The list of barred callers is bounded: when it is full it starts anew.
func TestProbeOfManyThatSayNothing(t *testing.T) {
	probeScenes(t, map[string]func(*rig){"": func(b *rig) {
		caller := func(i int) session.Caller { return session.Caller{User: fmt.Sprint(i)} }
		for i := range 16 {
			b.ends(ended{who: caller(i), reason: session.Rejected})
		}
		b.refusedTo(caller(0), session.Open)
		b.ends(ended{who: caller(16), reason: session.Rejected}, ended{who: caller(0)})
		b.is(breaker.Closed)
	}})
}

// borrow starts a call that may keep its permit for a second.
func (r *rig) borrow(who session.Caller) permit {
	r.t.Helper()
	done, reason := r.Allow(who, time.Second)
	if reason != session.OK {
		r.t.Fatalf("%v is refused: %s", who, reason)
	}
	return done
}

// A probe is taken back when its life is over, and what comes of it later is ignored.
func TestProbeIsTakenBack(t *testing.T) {
	probeScenes(t, map[string]func(*rig){
		"for somebody else": func(b *rig) {
			late := b.borrow(alice)
			time.Sleep(time.Second - 1)
			b.refusedTo(bob, session.Open)
			time.Sleep(time.Nanosecond)
			b.refusedTo(alice, session.Open)
			probe := b.allowedTo(bob)
			late(session.Verdict{Effect: fail, Reason: session.Dial, Cooldown: time.Minute, KeyLimit: true}, 0)
			b.is(breaker.HalfOpen)
			b.cools(0)
			probe.end(ok)
			b.is(breaker.Closed)
		},
		"and a late success closes nothing": func(b *rig) {
			late := b.borrow(alice)
			time.Sleep(time.Second)
			late.end(ok)
			b.is(breaker.HalfOpen)
		},
		"of the only caller, who may try again": func(b *rig) {
			time.Sleep(2 * time.Minute)
			for range 3 {
				b.borrow(alice)
				time.Sleep(time.Second)
			}
			b.ends(ended{who: alice})
			b.is(breaker.Closed)
		},
		"not before": func(b *rig) {
			probe := b.borrow(alice)
			time.Sleep(time.Second - 1)
			probe.end(ok)
			b.is(breaker.Closed)
		},
		"not in a later time": func(b *rig) {
			late := b.borrow(alice)
			b.override.Force(breaker.Force{State: breaker.ForcedOpen, Until: time.Now().Add(time.Minute)})
			time.Sleep(time.Minute)
			late.end(fail)
			b.ends(ended{who: bob})
			b.is(breaker.Closed)
		},
	})
}

// A breaker that is closed takes nothing back: a provider that takes no notice of its
// time limit must not be invisible.
func TestPermitOfAClosedBreakerCountsHoweverLate(t *testing.T) {
	scenes(t, settings(), map[string]func(*rig){"": func(b *rig) {
		for range 5 {
			late := b.borrow(alice)
			time.Sleep(time.Minute)
			late(session.Verdict{Effect: fail, Reason: session.Timeout}, 0)
		}
		b.is(breaker.Open)
	}})
}
