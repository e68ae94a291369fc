package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

var (
	ramps     = breaker.Change{From: breaker.HalfOpen, To: breaker.Ramping}
	rampFails = breaker.Change{From: breaker.Ramping, To: breaker.Open}
	rampEnds  = breaker.Change{From: breaker.Ramping, To: breaker.Closed}
)

// ramping are settings with a ramp.
func ramping(length time.Duration) breaker.Settings {
	s := settings()
	s.Ramp = length
	return s
}

// recover opens the breaker and closes it again.
func (r *rig) recover() {
	r.t.Helper()
	r.trip()
	r.waitOpen()
	r.call(session.Success)
}

// through counts the calls of n that get through.
func (r *rig) through(n int) (passed int) {
	r.t.Helper()
	for range n {
		done, reason := r.Allow(session.Caller{}, 0)
		switch reason {
		case session.OK:
			passed++
			done(session.Verdict{Effect: session.Success}, time.Millisecond)
		case session.Ramp:
		default:
			r.t.Fatalf("refused for %q", reason)
		}
	}
	return passed
}

// The share grows from a tenth to all, evenly.
func TestRampShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, ramping(10*time.Second))
		r.recover()
		r.is(breaker.Ramping)
		if !r.Closed() || r.RetryIn() != 0 {
			t.Error("a ramp shuts the provider out")
		}
		for second, want := range []int{10, 19, 28, 37, 46, 55, 64, 73, 82, 91} {
			if got := r.through(100); got < want-1 || got > want+1 {
				t.Errorf("second %d: %d of 100 got through, want %d", second, got, want)
			}
			if s := r.Snapshot(); s.Share*100 < float64(want)-.01 || s.Share*100 > float64(want)+.01 || s.RampUntil.IsZero() {
				t.Errorf("second %d: the snapshot shows %v until %s", second, s.Share, s.RampUntil)
			}
			time.Sleep(time.Second)
		}
		r.is(breaker.Closed)
		if got := r.through(100); got != 100 {
			t.Errorf("after the ramp %d of 100 got through", got)
		}
		if s := r.Snapshot(); s.Share != 0 || !s.RampUntil.IsZero() {
			t.Errorf("the snapshot still shows a ramp: %+v", s)
		}
		r.told(opened, halfway, ramps, rampEnds)
	})
}

func TestRamp(t *testing.T) {
	scenes(t, ramping(time.Minute), map[string]func(*rig){
		"a call that has nowhere else to go gets through": func(r *rig) {
			r.recover()
			for range 20 {
				done, reason := r.Insist(session.Caller{}, 0)
				if reason != session.OK {
					r.t.Fatalf("refused for %q", reason)
				}
				done(session.Verdict{Effect: session.Success}, 0)
			}
			if reason, probe := r.Peek(session.Caller{}); reason != session.OK || probe {
				r.t.Errorf("peek says %q, %t", reason, probe)
			}
		},
		"half as many failures open it, for twice as long": func(r *rig) {
			r.recover()
			for range 3 {
				r.is(breaker.Ramping)
				done, _ := r.Insist(session.Caller{}, 0)
				done(session.Verdict{Effect: session.Failed, Reason: session.Dial}, 0)
			}
			r.is(breaker.Open)
			if wait := r.RetryIn(); wait < 27*time.Second || wait > 33*time.Second {
				r.t.Errorf("open for %s, want 30s", wait)
			}
			fails := rampFails
			fails.Reason = "dial"
			r.told(opened, halfway, ramps, fails)
			r.waitOpen()
			r.call(session.Success)
			r.is(breaker.Ramping) // from the beginning
			if got := r.through(100); got != 10 {
				r.t.Errorf("%d of 100 got through", got)
			}
		},
		"it goes on behind a forced state": func(r *rig) {
			r.recover()
			r.force(breaker.ForcedOpen, time.Hour)
			r.refused(session.ForcedOpen)
			time.Sleep(30 * time.Second)
			r.override.Release()
			r.is(breaker.Ramping)
			r.force(breaker.ForcedClosed, time.Hour)
			r.call(session.Success, session.Success)
			time.Sleep(30 * time.Second)
			r.override.Release()
			r.is(breaker.Closed)
			r.told(opened, halfway, ramps,
				forced(breaker.Ramping, breaker.ForcedOpen), freed(breaker.ForcedOpen, breaker.Ramping),
				forced(breaker.Ramping, breaker.ForcedClosed), freed(breaker.ForcedClosed, breaker.Closed))
		},
		"the next outage after it lasts as long as the first": func(r *rig) {
			r.recover()
			time.Sleep(time.Minute)
			r.trip()
			if wait := r.RetryIn(); wait > 17*time.Second {
				r.t.Errorf("open for %s", wait)
			}
		},
	})
}

// A caller who alone fails does not end a ramp.
func TestRampOfManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, ramping(time.Minute))
		r.recover()
		alice, bob := session.Caller{User: "alice"}, session.Caller{User: "bob"}
		r.Saw(bob)
		for range 10 {
			done, _ := r.Insist(alice, 0)
			done(session.Verdict{Effect: session.Failed, Reason: session.Status5xx}, 0)
		}
		r.is(breaker.Ramping)
		done, _ := r.Insist(bob, 0)
		done(session.Verdict{Effect: session.Failed, Reason: session.Status5xx}, 0)
		r.is(breaker.Open)
	})
}
