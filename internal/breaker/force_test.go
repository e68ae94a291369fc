package breaker_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func (r *rig) force(s breaker.State, d time.Duration) {
	r.t.Helper()
	r.Force(breaker.Force{State: s, Until: time.Now().Add(d), Reason: "deploy"})
	r.is(s)
}

// Forced open: nothing gets through, until the time is over to the nanosecond,
// and then it ends by itself, whether anybody looks or not.
func TestForcedOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.force(breaker.ForcedOpen, time.Minute)
		g.told(breaker.Change{From: breaker.Closed, To: breaker.ForcedOpen})
		if f := g.Forced(); f == nil || f.Reason != "deploy" || time.Until(f.Until) != time.Minute {
			t.Fatalf("got %+v", f)
		}
		if g.RetryIn() != time.Minute || time.Until(g.OpenUntil()) != time.Minute {
			t.Errorf("retry in %s, open until %s", g.RetryIn(), g.OpenUntil())
		}
		time.Sleep(time.Minute - 1)
		g.refused(session.ForcedOpen)
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		g.told(breaker.Change{From: breaker.Closed, To: breaker.ForcedOpen}, breaker.Change{From: breaker.ForcedOpen, To: breaker.Closed})
		g.is(breaker.Closed)
		g.call(ok)
		if g.Forced() != nil || g.RetryIn() != 0 {
			t.Error("it is still forced")
		}
	})
}

// Forced closed: everything gets through, also where the breaker is open or
// cools down, and its failures count for nothing.
func TestForcedClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.trip()
		g.CoolDown(time.Hour)
		g.force(breaker.ForcedClosed, time.Second)
		if g.RetryIn() != 0 || !g.OpenUntil().IsZero() {
			t.Errorf("retry in %s, open until %s", g.RetryIn(), g.OpenUntil())
		}
		g.call(times(100, session.Failed)...)
		g.is(breaker.ForcedClosed)
		if s := g.Look(); s.Calls != 0 || s.Consecutive != 0 {
			t.Errorf("it counted: %+v", s)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		g.is(breaker.Open) // as it was: the open time is not over
		g.refused(session.Open)
		g.told(opened, breaker.Change{From: breaker.Open, To: breaker.ForcedClosed}, breaker.Change{From: breaker.ForcedClosed, To: breaker.Open})
	})
}

// An open time that ends while the gate is forced ends all the same: the change
// that is told is one, from forced to what comes of it.
func TestForcedOutlastsTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.trip()
		g.force(breaker.ForcedOpen, time.Hour)
		time.Sleep(time.Hour)
		synctest.Wait()
		g.told(opened, breaker.Change{From: breaker.Open, To: breaker.ForcedOpen}, breaker.Change{From: breaker.ForcedOpen, To: breaker.HalfOpen})
		g.call(ok)
		g.is(breaker.Closed)
	})
}

func TestRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		if g.Release() {
			t.Error("there was nothing to release")
		}
		g.force(breaker.ForcedOpen, time.Hour)
		if !g.Release() || g.Forced() != nil || g.Release() {
			t.Error("not released once")
		}
		g.is(breaker.Closed)
		time.Sleep(2 * time.Hour) // the timer of a state that is over does nothing
		g.is(breaker.Closed)
	})
}

// A forced state takes the place of another, with its time.
func TestForcedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.force(breaker.ForcedOpen, time.Minute)
		g.force(breaker.ForcedOpen, time.Hour) // longer: no change is told
		time.Sleep(30 * time.Minute)
		g.is(breaker.ForcedOpen)
		g.force(breaker.ForcedClosed, time.Minute)
		time.Sleep(time.Minute)
		synctest.Wait()
		g.is(breaker.Closed)
		g.told(
			breaker.Change{From: breaker.Closed, To: breaker.ForcedOpen},
			breaker.Change{From: breaker.ForcedOpen, To: breaker.ForcedClosed},
			breaker.Change{From: breaker.ForcedClosed, To: breaker.Closed},
		)
	})
}

// Calls that were under way when the gate was forced still count, unseen.
func TestForcedWhileCallsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		g := newRig(t, set)
		permits := make([]permit, set.Consecutive)
		for i := range permits {
			permits[i] = g.allowed()
		}
		g.force(breaker.ForcedClosed, time.Second)
		for _, p := range permits {
			p.end(session.Failed)
		}
		g.is(breaker.ForcedClosed)
		time.Sleep(time.Second)
		synctest.Wait()
		g.is(breaker.Open)
		g.told(breaker.Change{From: breaker.Closed, To: breaker.ForcedClosed}, breaker.Change{From: breaker.ForcedClosed, To: breaker.Open})
	})
}

// All of it at once, for the race detector.
func TestForceAtOnce(t *testing.T) {
	g := breaker.New(settings(), func(breaker.Change) {})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				switch (i + n) % 4 {
				case 0:
					g.Force(breaker.Force{State: breaker.ForcedOpen, Until: time.Now().Add(time.Millisecond)})
				case 1:
					g.Force(breaker.Force{State: breaker.ForcedClosed, Until: time.Now().Add(time.Microsecond)})
				case 2:
					g.Release()
				default:
					if done, reason := g.Allow(); reason == session.OK {
						done(session.Failed, 0)
					}
					_ = g.Look()
				}
			}
		})
	}
	all.Wait()
	g.Release()
	if g.Forced() != nil {
		t.Error("still forced")
	}
}

func TestLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newRig(t, settings())
		time.Sleep(time.Second)
		g.call(ok, session.Failed, session.Failed)
		g.CoolDown(time.Minute)
		s := g.Look()
		if s.State != breaker.Closed || !s.Since.Equal(start) || s.Consecutive != 2 || s.Calls != 3 || s.Failed != 2 ||
			time.Until(s.CoolUntil) != time.Minute || !s.OpenUntil.IsZero() || s.Forced != nil {
			t.Errorf("got %+v", s)
		}
		g.force(breaker.ForcedOpen, time.Minute)
		if s := g.Look(); s.State != breaker.ForcedOpen || !s.Since.Equal(time.Now()) || s.Forced == nil || !s.OpenUntil.Equal(s.Forced.Until) {
			t.Errorf("got %+v", s)
		}
		g.Release() // its timer would outlive the test
	})
}
