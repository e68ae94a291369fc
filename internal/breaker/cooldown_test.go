package breaker_test

import (
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestCooldown(t *testing.T) {
	scenes(t, settings(), map[string]func(*rig){
		// Given a provider that asked for thirty seconds, then it is not called before
		// they are over, and its breaker is closed all the time.
		"keeps calls out while the breaker stays closed": func(b *rig) {
			b.allowed().coolDown(30 * time.Second)
			for left := 30 * time.Second; left > 0; left -= 10 * time.Second {
				b.refused(session.Cooldown)
				if got := b.RetryIn(); got != left {
					b.t.Errorf("retry in %s, want %s", got, left)
				}
				time.Sleep(10 * time.Second)
			}
			b.is(breaker.Closed)
			b.call(ok)
			if at := b.OpenUntil(); !at.IsZero() {
				b.t.Errorf("open until %s", at)
			}
			b.told()
		},
		// It runs from the moment it is asked for, not from the end of the one before.
		"runs from when it is asked for": func(b *rig) {
			p := b.permits(2)
			p[0].coolDown(10 * time.Second)
			time.Sleep(8 * time.Second)
			p[1].coolDown(10 * time.Second)
			if got := b.RetryIn(); got != 10*time.Second {
				b.t.Errorf("retry in %s", got)
			}
		},
		// Given a breaker that is open, when a late result asks for a cooldown, then the
		// reason is the breaker's while it is open, and the wait is the longer of the two.
		"of an open breaker": func(b *rig) {
			late := b.allowed()
			b.trip()
			late.coolDown(time.Minute)
			b.refused(session.Open)
			if got := b.RetryIn(); got != time.Minute {
				b.t.Errorf("retry in %s", got)
			}
			b.waitOpen()
			b.refused(session.Cooldown)
			time.Sleep(b.RetryIn())
			b.call(ok)
			b.is(breaker.Closed)
		},
		// A refusal for a cooldown takes no probe of a half-open breaker.
		"takes no probe": func(b *rig) {
			b.trip()
			b.waitOpen()
			b.allowed().coolDown(time.Second)
			b.refused(session.Cooldown)
			time.Sleep(time.Second)
			b.call(ok)
			b.is(breaker.Closed)
		},
		"calls under way when it begins still count": func(b *rig) {
			started := b.permits(5)
			b.allowed().coolDown(time.Second)
			for _, p := range started {
				p.end(fail)
			}
			b.is(breaker.Open)
		},
	})
}

func TestCooldownExtendsAndNeverShortens(t *testing.T) {
	type row struct {
		downs []time.Duration
		want  time.Duration
	}
	each(t, map[string]row{
		"longer extends":        {[]time.Duration{10 * time.Second, 30 * time.Second}, 30 * time.Second},
		"shorter does nothing":  {[]time.Duration{30 * time.Second, 10 * time.Second}, 30 * time.Second},
		"zero does nothing":     {[]time.Duration{30 * time.Second, 0}, 30 * time.Second},
		"negative does nothing": {[]time.Duration{30 * time.Second, -time.Hour}, 30 * time.Second},
		"zero alone":            {[]time.Duration{0}, 0},
		"negative alone":        {[]time.Duration{-time.Second}, 0},
	}, func(t *testing.T, c row) {
		b := newRig(t, settings())
		for i, p := range b.permits(len(c.downs)) {
			p.coolDown(c.downs[i])
		}
		if got := b.RetryIn(); got != c.want {
			t.Errorf("retry in %s, want %s", got, c.want)
		}
	})
}

// A cooldown comes with every kind of result, and of the call that opens the
// breaker too.
func TestCooldownOfEveryResult(t *testing.T) {
	each(t, map[string]session.Effect{"success": ok, "failure": fail, "excluded": excluded}, func(t *testing.T, e session.Effect) {
		set := settings()
		set.Consecutive = 1
		b := newRig(t, set)
		b.allowed()(session.Verdict{Effect: e, Cooldown: time.Minute}, 0)
		if got := b.RetryIn(); got != time.Minute {
			t.Errorf("retry in %s", got)
		}
		if s := b.Snapshot(); time.Until(s.CoolUntil) != time.Minute {
			t.Errorf("got %+v", s)
		}
	})
}
