package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Given calls that began before the gate opened, when they end in whatever way,
// then nothing changes: they tell of a time that is over.
func TestOpenIgnoresLateResults(t *testing.T) {
	for name, effect := range map[string]session.Effect{"success": ok, "failure": fail, "excluded": excluded} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, settings())
				slow := make([]permit, 10)
				for i := range slow {
					slow[i] = g.allowed()
				}
				g.trip()
				until := g.OpenUntil()
				for _, p := range slow {
					p.end(effect)
				}
				g.is(breaker.Open)
				if g.OpenUntil() != until {
					t.Errorf("open until %s, was %s", g.OpenUntil(), until)
				}
				g.told(opened)
			})
		})
	}
}

// A late result once woke gobreaker, whose own open time never doubles: the
// gate then told of a half-open state while it was still open.
func TestLateResultDoesNotEndTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		late := g.allowed()
		g.trip()
		g.waitOpen()
		g.call(fail) // open for twice the time
		time.Sleep(20 * time.Second)
		late.end(ok)
		g.told(opened, halfway, reopened)
		g.is(breaker.Open)
		g.refused(session.Open)
	})
}

// Given calls that began before the gate opened, when they end while it is
// half-open, then they neither close it nor open it, and hold no permit.
func TestHalfOpenIgnoresLateResults(t *testing.T) {
	for name, effect := range map[string]session.Effect{"success": ok, "failure": fail, "excluded": excluded} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, settings())
				late, later := g.allowed(), g.allowed()
				g.trip()
				g.waitOpen()
				late.end(effect)
				g.is(breaker.HalfOpen)
				probe := g.allowed()
				g.refused(session.Open)
				later.end(effect)
				g.refused(session.Open)
				probe.end(ok)
				g.is(breaker.Closed)
			})
		})
	}
}

// A failure from before must not count in the gate's new closed time either.
func TestClosedAgainIgnoresLateFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, settings())
		late := make([]permit, 10)
		for i := range late {
			late[i] = g.allowed()
		}
		g.trip()
		g.waitOpen()
		g.call(ok)
		for _, p := range late {
			p.end(fail)
		}
		g.is(breaker.Closed)
		g.call(times(4, fail)...)
		g.is(breaker.Closed)
	})
}
