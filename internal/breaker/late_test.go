package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Given calls that began before the breaker opened, when they end in whatever way,
// then nothing changes: they are about a time that is over.
func TestOpenIgnoresLateResults(t *testing.T) {
	each(t, map[string]session.Effect{"success": ok, "failure": fail, "excluded": excluded}, func(t *testing.T, effect session.Effect) {
		b := newRig(t, settings())
		slow := b.permits(10)
		b.trip()
		until := b.OpenUntil()
		for _, p := range slow {
			p.end(effect)
		}
		b.is(breaker.Open)
		if b.OpenUntil() != until {
			t.Errorf("open until %s, was %s", b.OpenUntil(), until)
		}
		b.told(opened)
	})
}

// A late result once woke gobreaker, whose own open time never doubles: the
// breaker then told of a half-open state while it was still open.
func TestLateResultDoesNotEndTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		late := b.allowed()
		b.trip()
		b.waitOpen()
		b.call(fail) // open for twice the time
		time.Sleep(20 * time.Second)
		late.end(ok)
		b.told(opened, halfway, reopened)
		b.is(breaker.Open)
		b.refused(session.Open)
	})
}

// Given calls that began before the breaker opened, when they end while it is
// half-open, then they neither close it nor open it, and hold no permit.
func TestHalfOpenIgnoresLateResults(t *testing.T) {
	each(t, map[string]session.Effect{"success": ok, "failure": fail, "excluded": excluded}, func(t *testing.T, effect session.Effect) {
		b := newRig(t, settings())
		late, later := b.allowed(), b.allowed()
		b.trip()
		b.waitOpen()
		late.end(effect)
		b.is(breaker.HalfOpen)
		probe := b.allowed()
		b.refused(session.Open)
		later.end(effect)
		b.refused(session.Open)
		probe.end(ok)
		b.is(breaker.Closed)
	})
}

// A failure from before must not count in the breaker's new closed time either.
func TestClosedAgainIgnoresLateFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		late := b.permits(10)
		b.trip()
		b.waitOpen()
		b.call(ok)
		for _, p := range late {
			p.end(fail)
		}
		b.is(breaker.Closed)
		b.call(times(4, fail)...)
		b.is(breaker.Closed)
	})
}
