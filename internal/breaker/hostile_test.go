package breaker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// life is that of every permit of a hostile caller, and as long as its calls take.
const life = 6 * time.Second

// hostile is one caller who does whatever it likes at whatever time. What it cannot
// do is keep us from connecting to the provider.
type hostile struct {
	*rig
	random *rand.Rand
	faces  []session.Caller // all Same as one another
}

func newHostile(r *rig, seed uint64) *hostile {
	faces := []session.Caller{{User: "eve", Address: "eve's"}, {Address: "eve's"}}
	return &hostile{r, rand.New(rand.NewPCG(seed, 0)), faces}
}

// act makes one call, and ends it at once, late or never.
func (h *hostile) act() {
	done, reason := h.Allow(h.faces[h.random.IntN(len(h.faces))], life)
	if reason != session.OK {
		return
	}
	reasons := append(content(), session.Rejected, session.Canceled, session.Status4xx, session.OK)
	v := session.Verdict{Reason: reasons[h.random.IntN(len(reasons))]}
	if v.Effect = effect(v.Reason); v.Effect == fail {
		v.Cooldown = time.Duration(h.random.IntN(60)) * time.Second
	}
	took := time.Duration(h.random.Int64N(int64(2 * life)))
	switch h.random.IntN(3) {
	case 0:
		done(v, took)
	case 1:
		time.AfterFunc(took, func() { done(v, took) })
	}
}

// among acts for a while, at random moments.
func (h *hostile) among(span time.Duration) {
	for end := time.Now().Add(span); time.Now().Before(end); {
		for range h.random.IntN(10) {
			h.act()
		}
		time.Sleep(time.Duration(h.random.Int64N(int64(time.Second))))
	}
}

// every turns all rules on.
func every() breaker.Settings {
	s := breaker.Defaults()
	s.Slow, s.SlowRatio = 2*time.Second, 0.5
	return s
}

func seeds(t *testing.T, test func(t *testing.T, seed uint64)) {
	t.Helper()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, seed) })
		})
	}
}

// Given a provider that serves others, when one caller does whatever it likes, then
// the provider stays in for the others.
func TestOneCallerTakesNothingFromOthers(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		t.Helper()
		b := newRig(t, every())
		b.ends(ended{who: alice})
		h := newHostile(b, seed)
		for range 20 {
			h.among(time.Duration(h.random.Int64N(int64(30 * time.Second))))
			b.ends(ended{who: []session.Caller{alice, bob}[h.random.IntN(2)]})
			b.is(breaker.Closed)
		}
		b.told()
		time.Sleep(2 * life)
	})
}

// Given an outage that is over, when one caller does whatever it likes, then others
// who ask now and then have the provider back after the open time and the life of a
// permit.
func TestOneCallerHoldsNoBreakerOpen(t *testing.T) {
	const apart = 3 * time.Second
	seeds(t, func(t *testing.T, seed uint64) {
		t.Helper()
		b := newRig(t, every())
		b.ends(ended{who: alice})
		h := newHostile(b, seed)
		h.among(life)
		for i := 0; b.State() == breaker.Closed; i++ {
			b.ends(ended{who: []session.Caller{alice, bob}[i%2], reason: session.Timeout})
		}
		limit := time.Until(b.OpenUntil()) + life + 2*apart
		start := time.Now()
		for b.State() != breaker.Closed {
			if time.Since(start) > limit {
				t.Fatalf("%s after %s", b.State(), limit)
			}
			h.among(time.Duration(h.random.Int64N(int64(apart))))
			if done, reason := b.Allow(alice, life); reason == session.OK {
				done(session.Verdict{Effect: ok}, 0)
			}
		}
		time.Sleep(2 * life)
	})
}
