package breaker_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func (r *rig) force(s breaker.State, d time.Duration) {
	r.t.Helper()
	r.override.Force(breaker.Force{State: s, Until: time.Now().Add(d), Reason: "deploy"})
	r.is(s)
}

// forced is the change that begins a forced state, freed the one that ends it.
func forced(from, to breaker.State) breaker.Change {
	return breaker.Change{From: from, To: to, Reason: "deploy"}
}

func freed(from, to breaker.State) breaker.Change { return breaker.Change{From: from, To: to} }

// elapse lets time pass, and the timers do what is due then.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestForced(t *testing.T) {
	scenes(t, settings(), map[string]func(*rig){
		// It ends by itself and to the nanosecond, whether anybody looks or not.
		"open: nothing gets through": func(b *rig) {
			b.force(breaker.ForcedOpen, time.Minute)
			b.told(forced(breaker.Closed, breaker.ForcedOpen))
			if f := b.override.Forced(); f == nil || f.Reason != "deploy" || time.Until(f.Until) != time.Minute {
				b.t.Fatalf("got %+v", f)
			}
			if b.RetryIn() != time.Minute || time.Until(b.OpenUntil()) != time.Minute || b.Closed() {
				b.t.Errorf("retry in %s, open until %s", b.RetryIn(), b.OpenUntil())
			}
			time.Sleep(time.Minute - 1)
			b.refused(session.ForcedOpen)
			elapse(2 * time.Nanosecond)
			b.told(forced(breaker.Closed, breaker.ForcedOpen), freed(breaker.ForcedOpen, breaker.Closed))
			b.is(breaker.Closed)
			b.call(ok)
			if b.override.Forced() != nil || b.RetryIn() != 0 {
				b.t.Error("it is still forced")
			}
		},
		"closed: everything gets through, and failures do not count": func(b *rig) {
			late := b.allowed()
			b.trip()
			late.coolDown(time.Hour)
			b.force(breaker.ForcedClosed, time.Second)
			if b.RetryIn() != 0 || !b.OpenUntil().IsZero() || !b.Closed() {
				b.t.Errorf("retry in %s, open until %s", b.RetryIn(), b.OpenUntil())
			}
			b.call(times(100, session.Failed)...)
			b.is(breaker.ForcedClosed)
			if s := b.Snapshot(); s.Calls != 0 || s.Consecutive != 0 {
				b.t.Errorf("it counted: %+v", s)
			}
			elapse(time.Second)
			b.is(breaker.Open) // as it was: the open time is not over
			b.refused(session.Open)
			b.told(opened, forced(breaker.Open, breaker.ForcedClosed), freed(breaker.ForcedClosed, breaker.Open))
		},
		// A cooldown that a provider asks for while its breaker is forced closed begins
		// then, and is respected once the breaker is released.
		"closed, with cooldowns": func(b *rig) {
			b.force(breaker.ForcedClosed, time.Hour)
			b.allowed().coolDown(time.Minute)
			b.allowed().coolDown(time.Second)
			b.call(ok)
			time.Sleep(10 * time.Second)
			b.override.Release()
			b.refused(session.Cooldown)
			if got := b.RetryIn(); got != 50*time.Second {
				b.t.Errorf("retry in %s", got)
			}
		},
		// An open time that ends while the breaker is forced ends all the same: one
		// change is told, from the forced state to the state that comes of it.
		"for longer than the open time": func(b *rig) {
			b.trip()
			b.force(breaker.ForcedOpen, time.Hour)
			elapse(time.Hour)
			b.told(opened, forced(breaker.Open, breaker.ForcedOpen), freed(breaker.ForcedOpen, breaker.HalfOpen))
			b.call(ok)
			b.is(breaker.Closed)
		},
		"after the open time, which is a change before": func(b *rig) {
			b.trip()
			time.Sleep(time.Minute)
			b.force(breaker.ForcedClosed, time.Hour)
			b.told(opened, halfway, forced(breaker.HalfOpen, breaker.ForcedClosed))
		},
		"released": func(b *rig) {
			b.override.Release()
			b.told()
			b.force(breaker.ForcedOpen, time.Hour)
			b.override.Release()
			b.override.Release()
			if b.override.Forced() != nil {
				b.t.Error("it is still forced")
			}
			b.is(breaker.Closed)
			elapse(2 * time.Hour) // nothing comes of the time of a state that is over
			b.told(forced(breaker.Closed, breaker.ForcedOpen), freed(breaker.ForcedOpen, breaker.Closed))
		},
		"another one replaces it, and its time": func(b *rig) {
			b.force(breaker.ForcedOpen, time.Minute)
			b.force(breaker.ForcedOpen, time.Hour) // longer: no change is told
			time.Sleep(30 * time.Minute)
			b.is(breaker.ForcedOpen)
			b.force(breaker.ForcedClosed, time.Minute)
			elapse(time.Minute)
			b.is(breaker.Closed)
			b.told(
				forced(breaker.Closed, breaker.ForcedOpen),
				forced(breaker.ForcedOpen, breaker.ForcedClosed),
				freed(breaker.ForcedClosed, breaker.Closed),
			)
		},
		"over before it begins": func(b *rig) {
			b.override.Force(breaker.Force{State: breaker.ForcedOpen, Until: time.Now().Add(-time.Second)})
			b.is(breaker.Closed)
			b.told()
		},
		"a breaker that is closed for good tells nothing": func(b *rig) {
			permits := b.permits(5)
			b.Close()
			for _, p := range permits {
				p.end(fail)
			}
			b.is(breaker.Open)
			b.force(breaker.ForcedClosed, time.Minute)
			elapse(time.Hour)
			b.is(breaker.HalfOpen)
			b.told()
		},
		"an override that is closed leaves no timer behind": func(b *rig) {
			b.force(breaker.ForcedOpen, time.Minute)
			b.override.Close()
			elapse(time.Hour)
			b.told(forced(breaker.Closed, breaker.ForcedOpen))
			b.is(breaker.Closed) // seen all the same
		},
	})
}

// Calls that were under way when the breaker was forced still count, unseen.
func TestForcedWhileCallsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		b := newRig(t, set)
		permits := b.permits(set.Consecutive)
		b.force(breaker.ForcedClosed, time.Second)
		for _, p := range permits {
			p.end(session.Failed)
		}
		b.is(breaker.ForcedClosed)
		elapse(time.Second)
		b.is(breaker.Open)
		b.told(forced(breaker.Closed, breaker.ForcedClosed), freed(breaker.ForcedClosed, breaker.Open))
	})
}

// A reload that changes a provider's settings replaces its breaker, forced or
// not. The old one once told the end of its force as well, when its time was over.
// That of a reload that was refused tells nothing.
func TestReplacedBreakerTellsOnce(t *testing.T) {
	each(t, map[string]bool{"released": true, "expired": false}, func(t *testing.T, release bool) {
		before := newRig(t, settings())
		before.force(breaker.ForcedOpen, time.Hour)
		after := newRigUnder(t, settings(), before.override)
		after.is(breaker.ForcedOpen)
		before.Close()
		refused := newRigUnder(t, settings(), before.override) // a reload's that came to nothing
		refused.Close()
		if release {
			time.Sleep(time.Minute)
			before.override.Release()
		}
		elapse(2 * time.Hour)
		before.told(forced(breaker.Closed, breaker.ForcedOpen))
		after.told(freed(breaker.ForcedOpen, breaker.Closed))
		refused.is(breaker.Closed)
		refused.told()
		before.is(breaker.Closed) // a request under way may still ask it
	})
}

// During a reload the old breaker and the new one are both in use.
func TestForceOfTwoBreakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t, settings())
		two := newRigUnder(t, settings(), one.override)
		two.trip()
		one.force(breaker.ForcedClosed, time.Second)
		elapse(time.Second)
		one.told(forced(breaker.Closed, breaker.ForcedClosed), freed(breaker.ForcedClosed, breaker.Closed))
		two.told(opened, forced(breaker.Open, breaker.ForcedClosed), freed(breaker.ForcedClosed, breaker.Open))
	})
}

// All of it at once, for the race detector: breakers come and go, and of each
// the changes that were told make a chain.
func TestForceAtOnce(t *testing.T) {
	o := breaker.NewOverride()
	defer o.Close()
	long := newRigUnder(t, settings(), o)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				switch (i + n) % 5 {
				case 0:
					o.Force(breaker.Force{State: breaker.ForcedOpen, Until: time.Now().Add(time.Millisecond)})
				case 1:
					o.Force(breaker.Force{State: breaker.ForcedClosed, Until: time.Now().Add(time.Microsecond)})
				case 2:
					o.Release()
				case 3:
					b := breaker.New(settings(), o, func(breaker.Change) {})
					_ = b.Snapshot()
					b.Close()
				default:
					if done, reason := long.Allow(session.Caller{}, 0); reason == session.OK {
						done(session.Verdict{}, 0)
					}
					_ = long.Snapshot()
				}
			}
		})
	}
	all.Wait()
	o.Release()
	if o.Forced() != nil || long.State() != breaker.Closed {
		t.Errorf("%+v is still in force", o.Forced())
	}
	begun := func(c breaker.Change) bool { return c.From == breaker.Closed }
	ended := func(c breaker.Change) bool { return c.To == breaker.Closed }
	if b, e := count(long.changes, begun), count(long.changes, ended); b != e || b == 0 {
		t.Errorf("forced states began %d times and ended %d times", b, e)
	}
}

func count(changes []breaker.Change, is func(breaker.Change) bool) (n int) {
	for _, c := range changes {
		if is(c) {
			n++
		}
	}
	return n
}

func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := newRig(t, settings())
		late := b.allowed()
		time.Sleep(time.Second)
		b.call(ok, session.Failed, session.Failed)
		late.coolDown(time.Minute)
		s := b.Snapshot()
		if s.State != breaker.Closed || !s.Since.Equal(start) || s.Consecutive != 2 || s.Calls != 3 || s.Failed != 2 ||
			time.Until(s.CoolUntil) != time.Minute || !s.OpenUntil.IsZero() || s.Forced != nil {
			t.Errorf("got %+v", s)
		}
		b.force(breaker.ForcedOpen, time.Minute)
		if s := b.Snapshot(); s.State != breaker.ForcedOpen || !s.Since.Equal(time.Now()) || s.Forced == nil || !s.OpenUntil.Equal(s.Forced.Until) {
			t.Errorf("got %+v", s)
		}
	})
}

// Closed is what a request may ask before it asks for a permit.
func TestClosedReportsWhatGetsThrough(t *testing.T) {
	cases := map[breaker.State]func(*rig){
		breaker.Closed:       func(*rig) {},
		breaker.Open:         func(r *rig) { r.trip() },
		breaker.HalfOpen:     func(r *rig) { r.trip(); r.waitOpen() },
		breaker.ForcedOpen:   func(r *rig) { r.force(breaker.ForcedOpen, time.Hour) },
		breaker.ForcedClosed: func(r *rig) { r.trip(); r.force(breaker.ForcedClosed, time.Hour) },
	}
	for state, into := range cases {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, settings())
				into(b)
				b.is(state)
				want := slices.Contains([]breaker.State{breaker.Closed, breaker.ForcedClosed}, state)
				if b.Closed() != want {
					t.Errorf("got %t, want %t", b.Closed(), want)
				}
			})
		})
	}
}
