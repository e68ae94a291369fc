package breaker_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

var (
	alice   = session.Caller{User: "alice", Address: "192.0.2.1"}
	bob     = session.Caller{User: "bob", Address: "192.0.2.2"}
	carol   = session.Caller{User: "carol", Address: "192.0.2.3"}
	visitor = session.Caller{Address: "192.0.2.1"} // alice without her login, or somebody near
)

// ended is how a call ended.
type ended struct {
	who    session.Caller
	reason session.Reason
	took   time.Duration
}

// effect is what the reason means for a breaker.
func effect(r session.Reason) session.Effect {
	switch {
	case r == session.OK:
		return ok
	case r.Skipped(), r == session.Rejected, r == session.Canceled, r == session.Budget, r == session.Status4xx:
		return excluded
	}
	return fail
}

// content are the reasons of failures that a request may have caused.
func content() []session.Reason {
	return slices.DeleteFunc(session.Reasons(), func(r session.Reason) bool { return effect(r) != fail || r.NoConnection() })
}

func (r *rig) allowedTo(who session.Caller) permit {
	r.t.Helper()
	done, reason := r.Allow(who, 0)
	if reason != session.OK {
		r.t.Fatalf("%v is refused: %s", who, reason)
	}
	return done
}

func (r *rig) refusedTo(who session.Caller, want session.Reason) {
	r.t.Helper()
	if peeked, probe := r.Peek(who); peeked != want || probe {
		r.t.Fatalf("%v would get %q, probe %t; want %q", who, peeked, probe, want)
	}
	if done, reason := r.Allow(who, 0); reason != want || done != nil {
		r.t.Fatalf("%v gets %q (permit: %t), want %q", who, reason, done != nil, want)
	}
}

// ends makes calls that end like this.
func (r *rig) ends(calls ...ended) {
	r.t.Helper()
	for _, c := range calls {
		r.allowedTo(c.who)(session.Verdict{Reason: c.reason, Effect: effect(c.reason)}, c.took)
	}
}

func fails(who session.Caller, reason session.Reason, n int) []ended {
	return slices.Repeat([]ended{{who: who, reason: reason}}, n)
}

// Given others, when one caller's calls fail for a reason that its requests may have,
// then the breaker stays closed, however many they are. It opens after five where a
// second caller is among them, or where there is nobody else.
func TestCallersOfFailuresInARow(t *testing.T) {
	for _, reason := range content() {
		t.Run(string(reason), func(t *testing.T) {
			scenes(t, settings(), map[string]func(*rig){
				"one of two": func(b *rig) {
					b.ends(ended{who: bob})
					b.ends(fails(alice, reason, 100)...)
					b.is(breaker.Closed)
					if n := b.Snapshot().Consecutive; n != 100 {
						b.t.Errorf("%d failures in a row", n)
					}
				},
				"one of two, who leaves the login out now and then": func(b *rig) {
					b.ends(ended{who: bob})
					for range 20 {
						b.ends(ended{who: alice, reason: reason}, ended{who: visitor, reason: reason})
					}
					b.is(breaker.Closed)
				},
				"the only one": func(b *rig) {
					b.ends(fails(alice, reason, 4)...)
					b.is(breaker.Closed)
					b.ends(ended{who: visitor, reason: reason})
					b.is(breaker.Open)
				},
				"two": func(b *rig) {
					b.ends(fails(alice, reason, 3)...)
					b.ends(ended{who: bob, reason: reason})
					b.is(breaker.Closed)
					b.ends(ended{who: alice, reason: reason})
					b.is(breaker.Open)
					b.told(breaker.Change{From: breaker.Closed, To: breaker.Open, Reason: string(reason)})
				},
				"two, the second only before a success": func(b *rig) {
					b.ends(ended{who: bob, reason: reason}, ended{who: bob})
					b.ends(fails(alice, reason, 100)...)
					b.is(breaker.Closed)
				},
				"two, the second at last": func(b *rig) {
					b.ends(ended{who: bob})
					b.ends(fails(alice, reason, 100)...)
					b.ends(ended{who: bob, reason: reason})
					b.is(breaker.Open)
				},
			})
		})
	}
}

// No request can cause a failure without a connection: one caller's are enough.
func TestCallersOfFailuresWithoutAConnection(t *testing.T) {
	for _, reason := range []session.Reason{session.Dial, session.DNS, session.TLS} {
		t.Run(string(reason), func(t *testing.T) {
			scenes(t, settings(), map[string]func(*rig){
				"one of two": func(b *rig) {
					b.ends(ended{who: bob})
					b.ends(fails(alice, reason, 4)...)
					b.is(breaker.Closed)
					b.ends(ended{who: alice, reason: reason})
					b.is(breaker.Open)
				},
				"others' do not count beside them": func(b *rig) {
					b.ends(ended{who: bob})
					b.ends(fails(bob, reason, 4)...)
					b.ends(fails(alice, session.Status5xx, 100)...)
					b.is(breaker.Closed)
					b.ends(ended{who: bob, reason: reason})
					b.is(breaker.Open)
				},
			})
		})
	}
}

// How long ago somebody else has to have asked, for one caller to be the only one.
func TestCallersAloneAfterAMinute(t *testing.T) {
	type row struct {
		ago  time.Duration
		want breaker.State
	}
	each(t, map[string]row{
		"a minute":  {time.Minute, breaker.Closed},
		"more":      {time.Minute + 1, breaker.Open},
		"long gone": {24 * time.Hour, breaker.Open},
	}, func(t *testing.T, c row) {
		b := newRig(t, settings())
		b.ends(ended{who: bob})
		time.Sleep(c.ago)
		b.ends(fails(alice, session.Timeout, 5)...)
		b.is(c.want)
	})
}

func TestCallersOfTheRatio(t *testing.T) {
	type row struct {
		calls []ended
		want  breaker.State
	}
	good := []ended{{who: bob}}
	each(t, map[string]row{
		"one of two":  {slices.Concat(good, fails(alice, session.Status5xx, 100)), breaker.Closed},
		"two":         {slices.Concat(good, fails(bob, session.Status5xx, 1), fails(alice, session.Status5xx, 18)), breaker.Open},
		"the only":    {fails(alice, session.Status5xx, 20), breaker.Open},
		"unreachable": {slices.Concat(good, fails(alice, session.Dial, 19)), breaker.Open},
		"one's failures hide no others'": {
			slices.Concat(good, fails(alice, session.Status5xx, 100), fails(bob, session.Dial, 19)), breaker.Open,
		},
	}, func(t *testing.T, c row) {
		b := newRig(t, byRatio())
		b.ends(c.calls...)
		b.is(c.want)
	})
}

// A second caller's failure counts as long as the window remembers it.
func TestCallersOfTheRatioRoll(t *testing.T) {
	type row struct {
		pause time.Duration
		want  breaker.State
	}
	each(t, map[string]row{
		"within": {9 * time.Second, breaker.Open},
		"after":  {10 * time.Second, breaker.Closed},
	}, func(t *testing.T, c row) {
		b := newRig(t, byRatio())
		b.ends(ended{who: bob, reason: session.Reset})
		time.Sleep(c.pause)
		b.ends(fails(alice, session.Reset, 19)...)
		b.is(c.want)
		if c.want == breaker.Closed {
			b.ends(fails(alice, session.Reset, 100)...)
			b.is(c.want)
		}
	})
}

func TestCallersOfSlowCalls(t *testing.T) {
	slow := func(who session.Caller, n int) []ended {
		return slices.Repeat([]ended{{who: who, took: time.Second}}, n)
	}
	type row struct {
		calls []ended
		want  breaker.State
	}
	each(t, map[string]row{
		"one of two": {slices.Concat([]ended{{who: bob}}, slow(alice, 100)), breaker.Closed},
		"two":        {slices.Concat(slow(bob, 1), slow(alice, 3)), breaker.Open},
		"the only":   {slow(alice, 4), breaker.Open},
	}, func(t *testing.T, c row) {
		b := newRig(t, bySlowness())
		b.ends(c.calls...)
		b.is(c.want)
	})
}

// limited ends a call that is told to come back in half a minute.
func (r *rig) limited(who session.Caller, ours bool) {
	r.t.Helper()
	r.allowedTo(who)(session.Verdict{Reason: session.Status429, Effect: fail, Cooldown: 30 * time.Second, KeyLimit: ours}, 0)
}

func (r *rig) cools(want time.Duration) {
	r.t.Helper()
	if got := r.RetryIn(); got != want {
		r.t.Fatalf("retry in %s, want %s", got, want)
	}
}

// What one of many callers is told may be about this caller.
func TestCallersOfCooldowns(t *testing.T) {
	scenes(t, settings(), map[string]func(*rig){
		"one of two": func(b *rig) {
			b.ends(ended{who: bob})
			for range 10 {
				b.limited(alice, false)
				b.limited(visitor, false)
			}
			b.cools(0)
			b.ends(ended{who: bob})
		},
		"the only one": func(b *rig) {
			b.limited(alice, false)
			b.cools(30 * time.Second)
			b.refusedTo(bob, session.Cooldown)
		},
		"the limit of our key": func(b *rig) {
			b.ends(ended{who: bob})
			b.limited(alice, true)
			b.cools(30 * time.Second)
		},
		"two within ten seconds": func(b *rig) {
			b.ends(ended{who: carol})
			b.limited(bob, false)
			time.Sleep(10 * time.Second)
			b.limited(alice, false)
			b.cools(30 * time.Second)
		},
		"two, ten seconds apart": func(b *rig) {
			b.ends(ended{who: carol})
			b.limited(bob, false)
			time.Sleep(10*time.Second + 1)
			b.limited(alice, false)
			b.cools(0)
		},
		"while it is forced closed": func(b *rig) {
			b.ends(ended{who: bob})
			b.override.Force(breaker.Force{State: breaker.ForcedClosed, Until: time.Now().Add(time.Hour)})
			b.limited(alice, false)
			b.override.Release()
			b.cools(0)
		},
		"late": func(b *rig) {
			late := b.allowedTo(alice)
			b.trip()
			b.waitOpen()
			b.ends(ended{who: bob})
			late(session.Verdict{Effect: fail, Cooldown: time.Minute}, 0)
			b.cools(0)
		},
	})
}

// In an outage two callers open the breaker, whatever it is.
func TestCallersOfAnOutage(t *testing.T) {
	for _, reason := range session.Reasons() {
		if effect(reason) != fail {
			continue
		}
		for _, n := range []int{2, 3, 5} {
			t.Run(fmt.Sprintf("%s of %d", reason, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newRig(t, settings())
					for i := range 5 {
						b.is(breaker.Closed)
						b.ends(ended{who: session.Caller{Address: fmt.Sprint(i % n)}, reason: reason})
					}
					b.is(breaker.Open)
				})
			})
		}
	}
}
