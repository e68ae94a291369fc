package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Given a provider that asked for thirty seconds, then it is not called before
// they are over, and its breaker is closed all the time.
func TestCooldownKeepsCallsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.CoolDown(30 * time.Second)
		for left := 30 * time.Second; left > 0; left -= 10 * time.Second {
			g.refused(session.Cooldown)
			if got := g.RetryIn(); got != left {
				t.Errorf("retry in %s, want %s", got, left)
			}
			time.Sleep(10 * time.Second)
		}
		g.is(breaker.Closed)
		g.call(ok)
		if at := g.OpenUntil(); !at.IsZero() {
			t.Errorf("open until %s", at)
		}
		g.told()
	})
}

func TestCooldownExtendsAndNeverShortens(t *testing.T) {
	cases := []struct {
		name  string
		downs []time.Duration
		want  time.Duration
	}{
		{"longer extends", []time.Duration{10 * time.Second, 30 * time.Second}, 30 * time.Second},
		{"shorter does nothing", []time.Duration{30 * time.Second, 10 * time.Second}, 30 * time.Second},
		{"zero does nothing", []time.Duration{30 * time.Second, 0}, 30 * time.Second},
		{"negative does nothing", []time.Duration{30 * time.Second, -time.Hour}, 30 * time.Second},
		{"zero alone", []time.Duration{0}, 0},
		{"negative alone", []time.Duration{-time.Second}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, settings())
				for _, d := range c.downs {
					g.CoolDown(d)
				}
				if got := g.RetryIn(); got != c.want {
					t.Errorf("retry in %s, want %s", got, c.want)
				}
			})
		})
	}
}

// It runs from the moment it is asked for, not from the end of the one before.
func TestCooldownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.CoolDown(10 * time.Second)
		time.Sleep(8 * time.Second)
		g.CoolDown(10 * time.Second)
		if got := g.RetryIn(); got != 10*time.Second {
			t.Errorf("retry in %s", got)
		}
	})
}

// Given a gate that is open and cooling down, then the reason is the breaker's
// while it is open, and the wait is the longer of the two.
func TestCooldownOfAnOpenGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		g.trip()
		g.CoolDown(time.Minute)
		g.refused(session.Open)
		if got := g.RetryIn(); got != time.Minute {
			t.Errorf("retry in %s", got)
		}
		g.waitOpen()
		g.refused(session.Cooldown)
		time.Sleep(g.RetryIn())
		g.call(ok)
		g.is(breaker.Closed)
	})
}

// A refusal for a cooldown takes no probe of a half-open gate.
func TestCooldownTakesNoProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := probing(t, 1)
		g.CoolDown(time.Second)
		g.refused(session.Cooldown)
		time.Sleep(time.Second)
		g.call(ok)
		g.is(breaker.Closed)
	})
}

// Calls under way when a cooldown begins still count.
func TestCooldownCountsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		started := make([]permit, 5)
		for i := range started {
			started[i] = g.allowed()
		}
		g.CoolDown(time.Second)
		for _, p := range started {
			p.end(fail)
		}
		g.is(breaker.Open)
	})
}
