package breaker_test

import (
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestLateResults(t *testing.T) {
	scenes(t, settings(), map[string]func(*rig){
		// A late result once woke gobreaker, whose own open time never doubles: the
		// breaker then told of a half-open state while it was still open.
		"do not end the open time": func(b *rig) {
			late := b.allowed()
			b.trip()
			b.waitOpen()
			b.call(fail) // open for twice the time
			time.Sleep(20 * time.Second)
			late.end(ok)
			b.told(opened, halfway, reopened)
			b.is(breaker.Open)
			b.refused(session.Open)
		},
		"do not count in the new closed time": func(b *rig) {
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
		},
	})
}

// Given calls that began before the breaker opened, when they end in whatever way
// while it is open or half-open, then nothing changes, and none holds a permit:
// they are about a time that is over.
func TestLateResultsAreIgnored(t *testing.T) {
	each(t, map[string]session.Effect{"success": ok, "failure": fail, "excluded": excluded}, func(t *testing.T, effect session.Effect) {
		b := newRig(t, settings())
		late := b.permits(10)
		b.trip()
		until := b.OpenUntil()
		for _, p := range late[2:] {
			p.end(effect)
		}
		b.is(breaker.Open)
		if b.OpenUntil() != until {
			t.Errorf("open until %s, was %s", b.OpenUntil(), until)
		}
		b.told(opened)
		b.waitOpen()
		late[0].end(effect)
		b.is(breaker.HalfOpen)
		probe := b.allowed()
		b.refused(session.Open)
		late[1].end(effect)
		b.refused(session.Open)
		probe.end(ok)
		b.is(breaker.Closed)
	})
}
