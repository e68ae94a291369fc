package breaker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// checked are settings with checks of health each second.
func checked() breaker.Settings {
	s := settings()
	s.Health = time.Second
	return s
}

// doctor says what a check finds, and counts the checks.
type doctor struct {
	finds atomic.Int32 // a breaker.Health
	asked atomic.Int32
}

func (d *doctor) check(context.Context) breaker.Health {
	d.asked.Add(1)
	return breaker.Health(d.finds.Load())
}

func (d *doctor) set(h breaker.Health) { d.finds.Store(int32(h)) }

// was checks how many checks there were, give or take a few: their times have jitter.
func (d *doctor) was(t *testing.T, asked int32) {
	t.Helper()
	if got := d.asked.Swap(0); got < asked-1-asked/10 || got > asked+1+asked/10 {
		t.Errorf("asked %d times, want %d", got, asked)
	}
}

// never checks that there was none.
func (d *doctor) never(t *testing.T) {
	t.Helper()
	if got := d.asked.Swap(0); got != 0 {
		t.Errorf("asked %d times", got)
	}
}

func TestHealth(t *testing.T) {
	for name, scene := range map[string]func(*rig, *doctor){
		"a closed breaker asks nothing": func(r *rig, d *doctor) {
			elapse(time.Hour)
			d.never(r.t)
		},
		"nothing gets through before it is healthy, however long that takes": func(r *rig, d *doctor) {
			r.trip()
			for range 60 {
				elapse(time.Minute)
				r.refused(session.Open)
				r.is(breaker.Open)
				if wait := r.RetryIn(); wait <= 0 || wait > 2*time.Second {
					r.t.Errorf("retry in %s", wait)
				}
				if until := time.Until(r.OpenUntil()); until > 2*time.Second || until < -time.Second {
					r.t.Errorf("open until %s", until)
				}
				if reason, _ := r.Peek(session.Caller{}); reason != session.Open || !r.Snapshot().Unchecked {
					r.t.Errorf("peek says %q", reason)
				}
			}
			d.set(breaker.Healthy)
			elapse(1200 * time.Millisecond)
			r.is(breaker.HalfOpen)
			r.call(session.Success)
			r.is(breaker.Closed)
			d.asked.Store(0)
			elapse(time.Hour)
			d.never(r.t)
			r.told(opened, halfway, closed)
		},
		"the open time has to pass all the same": func(r *rig, d *doctor) {
			d.set(breaker.Healthy)
			r.trip()
			elapse(13 * time.Second)
			r.refused(session.Open)
			elapse(4 * time.Second)
			r.is(breaker.HalfOpen)
			d.was(r.t, 17)
		},
		"a check that is wrong leaves it to the users": func(r *rig, d *doctor) {
			d.set(breaker.Unclear)
			r.trip()
			elapse(17 * time.Second)
			r.call(session.Success)
			r.is(breaker.Closed)
		},
		"dead again before anybody came": func(r *rig, d *doctor) {
			d.set(breaker.Healthy)
			r.trip()
			elapse(17 * time.Second)
			r.is(breaker.HalfOpen)
			d.set(breaker.Unhealthy)
			elapse(1500 * time.Millisecond)
			r.refused(session.Open)
			again := reopened
			again.Reason = "health"
			r.told(opened, halfway, again)
		},
		"a probe that is under way decides": func(r *rig, d *doctor) {
			d.set(breaker.Healthy)
			r.trip()
			elapse(17 * time.Second)
			probe := r.allowed()
			d.set(breaker.Unhealthy)
			elapse(10 * time.Second)
			r.is(breaker.HalfOpen)
			probe.end(session.Success)
			r.is(breaker.Closed)
		},
		"a healthy provider that fails is tried at longer and longer intervals": func(r *rig, d *doctor) {
			d.set(breaker.Healthy)
			r.trip()
			elapse(17 * time.Second)
			r.call(session.Failed)
			elapse(25 * time.Second)
			r.refused(session.Open)
			elapse(10 * time.Second)
			r.is(breaker.HalfOpen)
		},
		"an operator's state asks nothing": func(r *rig, d *doctor) {
			r.trip()
			r.force(breaker.ForcedOpen, time.Hour)
			elapse(2 * time.Second)
			d.asked.Store(0)
			elapse(50 * time.Minute)
			d.never(r.t)
			elapse(11 * time.Minute) // it is over
			d.was(r.t, 60)
			r.is(breaker.Open)
		},
		"a cooldown asks nothing": func(r *rig, d *doctor) {
			late := r.allowed()
			r.trip()
			late.coolDown(time.Minute)
			elapse(50 * time.Second)
			d.never(r.t)
			elapse(20 * time.Second)
			d.was(r.t, 10)
		},
		"the latest configuration asks, for as long as there is one": func(r *rig, d *doctor) {
			r.trip()
			elapse(5 * time.Second)
			d.was(r.t, 5)
			other := new(doctor)
			stop := r.Check(other.check)
			elapse(5 * time.Second)
			d.never(r.t)
			other.was(r.t, 5)
			stop()
			elapse(5 * time.Second)
			d.was(r.t, 5)
			other.never(r.t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, d := newRig(t, checked()), new(doctor)
				stop := r.Check(d.check)
				scene(r, d)
				stop() // synctest fails where a goroutine is left
			})
		})
	}
}

// A configuration that goes cuts its check short, and what that says does not count.
func TestHealthCheckThatIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, checked())
		began := make(chan struct{})
		stop := r.Check(func(ctx context.Context) breaker.Health {
			close(began)
			<-ctx.Done()
			return breaker.Healthy
		})
		r.trip()
		<-began
		stop()
		stop() // twice is once
		elapse(time.Hour)
		r.refused(session.Open)

		d := new(doctor)
		d.set(breaker.Healthy)
		stop = r.Check(d.check)
		elapse(3 * time.Second)
		r.is(breaker.HalfOpen)
		stop()
	})
}

// Without the setting nobody is asked.
func TestNoHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := newRig(t, settings()), new(doctor)
		defer r.Check(d.check)()
		r.trip()
		r.waitOpen()
		if d.asked.Load() != 0 {
			t.Error("it was asked")
		}
	})
}
