package breaker_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// settings are the defaults with the ratio rule off, so that a test of the
// other rules need not think of it.
func settings() breaker.Settings {
	s := breaker.Defaults()
	s.Ratio = 0
	return s
}

// rig is a gate, and what it has told of its changes.
type rig struct {
	*breaker.Gate
	t *testing.T

	mu      sync.Mutex
	changes []breaker.Change
}

func newRig(t *testing.T, set breaker.Settings) *rig {
	t.Helper()
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t}
	r.Gate = breaker.New(set, func(c breaker.Change) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changes = append(r.changes, c)
	})
	return r
}

// permit is a call that has been let through and not ended yet.
type permit func(session.Effect, time.Duration)

func (p permit) end(e session.Effect) { p(e, time.Millisecond) }

func (r *rig) allowed() permit {
	r.t.Helper()
	done, reason := r.Allow()
	if reason != session.OK {
		r.t.Fatalf("refused: %s", reason)
	}
	return done
}

func (r *rig) refused(want session.Reason) {
	r.t.Helper()
	done, reason := r.Allow()
	if reason != want || done != nil {
		r.t.Fatalf("got reason %q (permit: %t), want %q", reason, done != nil, want)
	}
}

// call makes one call after the other that end with the effects given.
func (r *rig) call(effects ...session.Effect) {
	r.t.Helper()
	for _, e := range effects {
		r.allowed().end(e)
	}
}

func (r *rig) is(want breaker.State) {
	r.t.Helper()
	if got := r.State(); got != want {
		r.t.Fatalf("gate is %s, want %s", got, want)
	}
}

func (r *rig) told(want ...breaker.Change) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.changes, want) {
		r.t.Fatalf("told %v, want %v", r.changes, want)
	}
}

// trip opens a gate that is closed.
func (r *rig) trip() {
	r.t.Helper()
	r.call(times(5, session.Failed)...)
	r.is(breaker.Open)
}

// waitOpen lets the open time pass.
func (r *rig) waitOpen() {
	r.t.Helper()
	time.Sleep(time.Until(r.OpenUntil()) + 1)
	r.is(breaker.HalfOpen)
}

func times(n int, e session.Effect) []session.Effect { return slices.Repeat([]session.Effect{e}, n) }

var (
	opened   = breaker.Change{From: breaker.Closed, To: breaker.Open}
	halfway  = breaker.Change{From: breaker.Open, To: breaker.HalfOpen}
	reopened = breaker.Change{From: breaker.HalfOpen, To: breaker.Open}
	closed   = breaker.Change{From: breaker.HalfOpen, To: breaker.Closed}
)

func TestChangesAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.told()
		g.trip()
		g.told(opened)
		g.waitOpen()
		g.told(opened, halfway)
		g.call(session.Failed)
		g.told(opened, halfway, reopened)
		g.waitOpen()
		g.call(session.Success)
		g.told(opened, halfway, reopened, halfway, closed)
		for _, c := range g.changes {
			if !slices.Contains(breaker.Changes(), c) {
				t.Errorf("%v is no change of the list", c)
			}
		}
	})
}

func TestChangeCallbackMayCallTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g *breaker.Gate
		var seen []breaker.State
		g = breaker.New(settings(), func(breaker.Change) {
			seen = append(seen, g.State())
			g.CoolDown(0)
			_, _ = g.RetryIn(), g.OpenUntil()
			if done, reason := g.Allow(); reason == session.OK {
				done(session.Excluded, 0)
			}
		})
		r := &rig{Gate: g, t: t}
		r.trip()
		r.waitOpen()
		r.call(session.Success)
		if want := []breaker.State{breaker.Open, breaker.HalfOpen, breaker.Closed}; !slices.Equal(seen, want) {
			t.Errorf("the callback saw %v, want %v", seen, want)
		}
	})
}

func TestGateWithoutCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{Gate: breaker.New(settings(), nil), t: t}
		r.trip()
		r.waitOpen()
		r.call(session.Success)
		r.is(breaker.Closed)
	})
}

// Given many calls at once that end in every way, when all have ended and the
// longest open time is over, then the gate lets calls through: no permit is lost.
func TestGateIsNeverWedged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		set.Consecutive, set.Probes, set.Open, set.MaxOpen = 2, 2, time.Second, 4*time.Second
		set.Slow, set.SlowRatio, set.MinCalls, set.Window = 20*time.Millisecond, 0.5, 5, time.Second
		g := newRig(t, set)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 200 {
					took := time.Duration(rand.IntN(40)) * time.Millisecond
					done, reason := g.Allow()
					time.Sleep(took)
					if reason == session.OK {
						done(session.Effect(rand.IntN(3)), took)
					}
					g.CoolDown(took / 10)
				}
			})
		}
		wg.Wait()
		time.Sleep(5 * time.Second)
		g.call(session.Success, session.Success)
		g.is(breaker.Closed)
	})
}
