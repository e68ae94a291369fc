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

// rig is a breaker with an override, and the changes it told.
type rig struct {
	*breaker.Breaker
	override *breaker.Override
	t        *testing.T

	mu      sync.Mutex
	changes []breaker.Change
}

func newRig(t *testing.T, set breaker.Settings) *rig {
	t.Helper()
	r := newRigUnder(t, set, breaker.NewOverride())
	t.Cleanup(r.override.Close)
	return r
}

func newRigUnder(t *testing.T, set breaker.Settings, o *breaker.Override) *rig {
	t.Helper()
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, override: o}
	r.Breaker = breaker.New(set, o, func(c breaker.Change) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changes = append(r.changes, c)
	})
	return r
}

// each runs a test for each of the cases, with a clock of its own.
func each[C any](t *testing.T, cases map[string]C, test func(t *testing.T, c C)) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, c) })
		})
	}
}

// scenes runs each of the scenes with a breaker of its own.
func scenes(t *testing.T, set breaker.Settings, all map[string]func(*rig)) {
	t.Helper()
	each(t, all, func(t *testing.T, scene func(*rig)) { scene(newRig(t, set)) })
}

// permit is a call that got through and has not ended yet.
type permit func(session.Verdict, time.Duration)

// end ends the call. A failure has the reason dial.
func (p permit) end(e session.Effect) { p.after(time.Millisecond, e) }

func (p permit) after(took time.Duration, e session.Effect) {
	v := session.Verdict{Effect: e}
	if e == session.Failed {
		v.Reason = session.Dial
	}
	p(v, took)
}

// coolDown ends a call that says nothing but asks for a cooldown.
func (p permit) coolDown(d time.Duration) { p(session.Verdict{Cooldown: d}, time.Millisecond) }

func (r *rig) allowed() permit {
	r.t.Helper()
	done, reason := r.Allow(session.Caller{}, 0)
	if reason != session.OK {
		r.t.Fatalf("refused: %s", reason)
	}
	return done
}

// permits starts n calls.
func (r *rig) permits(n int) []permit {
	r.t.Helper()
	all := make([]permit, n)
	for i := range all {
		all[i] = r.allowed()
	}
	return all
}

func (r *rig) refused(want session.Reason) {
	r.t.Helper()
	done, reason := r.Allow(session.Caller{}, 0)
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
		r.t.Fatalf("breaker is %s, want %s", got, want)
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

// trip opens a breaker that is closed.
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
	opened   = breaker.Change{From: breaker.Closed, To: breaker.Open, Reason: "dial"}
	halfway  = breaker.Change{From: breaker.Open, To: breaker.HalfOpen}
	reopened = breaker.Change{From: breaker.HalfOpen, To: breaker.Open, Reason: "dial"}
	closed   = breaker.Change{From: breaker.HalfOpen, To: breaker.Closed}
)

func TestChangesAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		b.told()
		b.trip()
		b.told(opened)
		b.waitOpen()
		b.told(opened, halfway)
		b.call(session.Failed)
		b.told(opened, halfway, reopened)
		b.waitOpen()
		b.call(session.Success)
		b.told(opened, halfway, reopened, halfway, closed)
		for _, c := range b.changes {
			if c.Reason = ""; !slices.Contains(breaker.Changes(), c) {
				t.Errorf("%v is not on the list of changes", c)
			}
		}
	})
}

// The callback holds no lock: it may use the breaker and its override.
func TestChangeCallbackMayCallTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := breaker.NewOverride()
		defer o.Close()
		var b *breaker.Breaker
		var seen []breaker.State
		b = breaker.New(settings(), o, func(breaker.Change) {
			seen = append(seen, b.State())
			_, _ = b.RetryIn(), b.OpenUntil()
			if done, reason := b.Allow(session.Caller{}, 0); reason == session.OK {
				done(session.Verdict{}, 0)
			}
			if len(seen) > 3 {
				o.Release()
			}
		})
		r := &rig{Breaker: b, override: o, t: t}
		r.trip()
		r.waitOpen()
		r.call(session.Success)
		o.Force(breaker.Force{State: breaker.ForcedOpen, Until: time.Now().Add(time.Hour)})
		want := []breaker.State{breaker.Open, breaker.HalfOpen, breaker.Closed, breaker.ForcedOpen, breaker.Closed}
		if !slices.Equal(seen, want) {
			t.Errorf("the callback saw %v, want %v", seen, want)
		}
	})
}

func TestBreakerWithoutCallbackAndOverride(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{Breaker: breaker.New(settings(), nil, nil), t: t}
		r.trip()
		r.waitOpen()
		r.call(session.Success)
		r.is(breaker.Closed)
		r.Close()
		r.is(breaker.Closed)
	})
}

// A change to open has the reason of the call that opened the breaker, also
// where others failed for another reason just before.
func TestChangeReason(t *testing.T) {
	type row struct {
		calls  func(*rig) // the last one opens the breaker
		reason string
	}
	each(t, map[string]row{
		"failures in a row":                {func(r *rig) { r.fails(session.Dial, session.Timeout, session.DNS, session.Dial, session.Reset) }, "reset"},
		"slow successes":                   {func(r *rig) { r.took(time.Second, times(4, ok)...) }, "slow"},
		"slow failures":                    {func(r *rig) { r.took(time.Second, times(4, fail)...) }, "slow"},
		"a quick failure among slow calls": {func(r *rig) { r.took(time.Second, ok, ok, ok); r.fails(session.Reset) }, "slow"},
		"a failed probe":                   {func(r *rig) { r.trip(); r.waitOpen(); r.fails(session.Status5xx) }, "status_5xx"},
		"a slow probe":                     {func(r *rig) { r.trip(); r.waitOpen(); r.took(time.Second, ok) }, "slow"},
		"a slow probe that failed":         {func(r *rig) { r.trip(); r.waitOpen(); r.took(time.Second, fail) }, "dial"},
	}, func(t *testing.T, c row) {
		r := newRig(t, bySlowness())
		c.calls(r)
		r.is(breaker.Open)
		if last := r.changes[len(r.changes)-1]; last.To != breaker.Open || last.Reason != c.reason {
			t.Errorf("told %+v, want the reason %q", last, c.reason)
		}
	})
}

// fails makes calls that fail at once, for these reasons.
func (r *rig) fails(reasons ...session.Reason) {
	r.t.Helper()
	for _, reason := range reasons {
		r.allowed()(session.Verdict{Effect: session.Failed, Reason: reason}, 0)
	}
}

// Given many calls at once that end in every way, when all have ended and the
// longest open time is over, then the breaker lets calls through: no permit is lost.
func TestBreakerIsNeverWedged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := settings()
		set.Consecutive, set.Probes, set.Open, set.MaxOpen = 2, 2, time.Second, 4*time.Second
		set.Slow, set.SlowRatio, set.MinCalls, set.Window = 20*time.Millisecond, 0.5, 5, time.Second
		b := newRig(t, set)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 200 {
					took := time.Duration(rand.IntN(40)) * time.Millisecond
					done, reason := b.Allow(session.Caller{}, 0)
					time.Sleep(took)
					if reason == session.OK {
						done(session.Verdict{Effect: session.Effect(rand.IntN(3)), Cooldown: took / 10}, took)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(5 * time.Second)
		b.call(session.Success, session.Success)
		b.is(breaker.Closed)
	})
}
