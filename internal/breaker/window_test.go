package breaker_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// byRatio opens at half of at least twenty calls in ten seconds.
func byRatio() breaker.Settings {
	s := breaker.Defaults()
	s.Consecutive = 0
	return s
}

func TestWindowRatio(t *testing.T) {
	cases := []struct {
		name    string
		effects []session.Effect
		want    breaker.State
	}{
		{"too few calls", times(19, fail), breaker.Closed},
		{"just enough calls", times(20, fail), breaker.Open},
		{"just the ratio", slices.Concat(times(10, ok), times(10, fail)), breaker.Open},
		{"just below the ratio", slices.Concat(times(11, ok), times(9, fail)), breaker.Closed},
		{"excluded ones are no calls", slices.Concat(times(50, excluded), times(19, fail)), breaker.Closed},
		{"excluded ones do not dilute", slices.Concat(times(50, excluded), times(10, ok), times(10, fail)), breaker.Open},
		{"every other one", slices.Repeat([]session.Effect{ok, fail}, 10), breaker.Open},
		{"one in three", slices.Repeat([]session.Effect{ok, ok, fail}, 100), breaker.Closed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, byRatio())
				g.call(c.effects...)
				g.is(c.want)
			})
		})
	}
}

// The window rolls: what is older than it is forgotten, what is younger than
// nine tenths of it is not.
func TestWindowRolls(t *testing.T) {
	cases := []struct {
		name  string
		pause time.Duration
		want  breaker.State
	}{
		{"at once", 0, breaker.Open},
		{"within", 8900 * time.Millisecond, breaker.Open},
		{"after", 10 * time.Second, breaker.Closed},
		{"long after", time.Hour, breaker.Closed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, byRatio())
				g.call(times(10, fail)...)
				time.Sleep(c.pause)
				g.call(times(9, fail)...)
				g.is(breaker.Closed)
				g.call(fail)
				g.is(c.want)
			})
		})
	}
}

// A long good time before must not hide an outage now.
func TestWindowForgetsTheGoodOldTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, byRatio())
		for range 60 {
			g.call(times(10, ok)...)
			time.Sleep(time.Second)
		}
		calls := 0
		for g.State() == breaker.Closed && calls < 1000 {
			g.call(times(10, fail)...)
			calls += 10
			time.Sleep(time.Second)
		}
		if calls > 60 {
			t.Errorf("%d failures at 10 a second until it opened, want about half a window", calls)
		}
	})
}

func TestWindowStartsEmptyAfterAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := byRatio()
		set.Open, set.MaxOpen = time.Second, time.Second
		g := newRig(t, set)
		g.call(times(20, fail)...)
		g.waitOpen()
		g.call(ok)
		g.is(breaker.Closed)
		g.call(times(19, fail)...)
		g.is(breaker.Closed)
		g.call(fail)
		g.is(breaker.Open)
	})
}

func bySlowness() breaker.Settings {
	s := settings()
	s.Slow, s.SlowRatio, s.MinCalls = time.Second, 0.5, 4
	return s
}

func (r *rig) took(d time.Duration, effects ...session.Effect) {
	r.t.Helper()
	for _, e := range effects {
		r.allowed()(e, d)
	}
}

func TestWindowSlowCalls(t *testing.T) {
	const slow, quick = time.Second, time.Second - 1
	cases := []struct {
		name  string
		calls func(*rig)
		want  breaker.State
	}{
		{"slow successes open", func(r *rig) { r.took(slow, times(4, ok)...) }, breaker.Open},
		{"too few", func(r *rig) { r.took(slow, times(3, ok)...) }, breaker.Closed},
		{"just not slow", func(r *rig) { r.took(quick, times(100, ok)...) }, breaker.Closed},
		{"half of them", func(r *rig) { r.took(quick, ok, ok); r.took(slow, ok, ok) }, breaker.Open},
		{"below half", func(r *rig) { r.took(quick, ok, ok, ok); r.took(slow, ok, ok) }, breaker.Closed},
		{"slow failures count too", func(r *rig) { r.took(slow, times(4, fail)...) }, breaker.Open},
		{"quick failures are not slow", func(r *rig) { r.took(quick, times(4, fail)...) }, breaker.Closed},
		{"slow clients that left do not count", func(r *rig) { r.took(slow, times(9, excluded)...) }, breaker.Closed},
		{
			"a slow success resets the failures in a row",
			func(r *rig) { r.took(quick, times(4, fail)...); r.took(slow, ok); r.took(quick, times(4, fail)...) },
			breaker.Closed,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(t, bySlowness())
				c.calls(g)
				g.is(c.want)
			})
		})
	}
}

// A probe that crawls tells that the provider has not recovered.
func TestWindowSlowProbeDoesNotClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, bySlowness())
		g.took(time.Second, times(4, ok)...)
		g.waitOpen()
		g.took(time.Second, ok)
		g.is(breaker.Open)
		if in := g.RetryIn(); !near(in, 30*time.Second) {
			t.Errorf("open for %s", in)
		}
		g.waitOpen()
		g.took(time.Second-1, ok)
		g.is(breaker.Closed)
	})
}

func TestWindowSlownessOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, breaker.Defaults())
		g.took(time.Hour, times(100, ok)...)
		g.is(breaker.Closed)
	})
}
