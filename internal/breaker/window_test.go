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
	type row struct {
		effects []session.Effect
		want    breaker.State
	}
	each(t, map[string]row{
		"too few calls":               {times(19, fail), breaker.Closed},
		"just enough calls":           {times(20, fail), breaker.Open},
		"just the ratio":              {slices.Concat(times(10, ok), times(10, fail)), breaker.Open},
		"just below the ratio":        {slices.Concat(times(11, ok), times(9, fail)), breaker.Closed},
		"excluded ones are no calls":  {slices.Concat(times(50, excluded), times(19, fail)), breaker.Closed},
		"excluded ones do not dilute": {slices.Concat(times(50, excluded), times(10, ok), times(10, fail)), breaker.Open},
		"every other one":             {slices.Repeat([]session.Effect{ok, fail}, 10), breaker.Open},
		"one in three":                {slices.Repeat([]session.Effect{ok, ok, fail}, 100), breaker.Closed},
	}, func(t *testing.T, c row) {
		b := newRig(t, byRatio())
		b.call(c.effects...)
		b.is(c.want)
	})
}

// The window rolls: what is older than it is forgotten, what is younger than
// nine tenths of it is not.
func TestWindowRolls(t *testing.T) {
	type row struct {
		pause time.Duration
		want  breaker.State
	}
	each(t, map[string]row{
		"at once":    {0, breaker.Open},
		"within":     {8900 * time.Millisecond, breaker.Open},
		"after":      {10 * time.Second, breaker.Closed},
		"long after": {time.Hour, breaker.Closed},
	}, func(t *testing.T, c row) {
		b := newRig(t, byRatio())
		b.call(times(10, fail)...)
		time.Sleep(c.pause)
		b.call(times(9, fail)...)
		b.is(breaker.Closed)
		b.call(fail)
		b.is(c.want)
	})
}

// A long good time before must not hide an outage now.
func TestWindowForgetsTheGoodOldTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, byRatio())
		for range 60 {
			b.call(times(10, ok)...)
			time.Sleep(time.Second)
		}
		calls := 0
		for b.State() == breaker.Closed && calls < 1000 {
			b.call(times(10, fail)...)
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
		b := newRig(t, set)
		b.call(times(20, fail)...)
		b.waitOpen()
		b.call(ok)
		b.is(breaker.Closed)
		b.call(times(19, fail)...)
		b.is(breaker.Closed)
		b.call(fail)
		b.is(breaker.Open)
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
		r.allowed().after(d, e)
	}
}

func TestWindowSlowCalls(t *testing.T) {
	const slow, quick = time.Second, time.Second - 1
	type row struct {
		calls func(*rig)
		want  breaker.State
	}
	each(t, map[string]row{
		"slow successes open":                 {func(r *rig) { r.took(slow, times(4, ok)...) }, breaker.Open},
		"too few":                             {func(r *rig) { r.took(slow, times(3, ok)...) }, breaker.Closed},
		"just not slow":                       {func(r *rig) { r.took(quick, times(100, ok)...) }, breaker.Closed},
		"half of them":                        {func(r *rig) { r.took(quick, ok, ok); r.took(slow, ok, ok) }, breaker.Open},
		"below half":                          {func(r *rig) { r.took(quick, ok, ok, ok); r.took(slow, ok, ok) }, breaker.Closed},
		"slow failures count too":             {func(r *rig) { r.took(slow, times(4, fail)...) }, breaker.Open},
		"quick failures are not slow":         {func(r *rig) { r.took(quick, times(4, fail)...) }, breaker.Closed},
		"slow clients that left do not count": {func(r *rig) { r.took(slow, times(9, excluded)...) }, breaker.Closed},
		"a slow success resets the failures in a row": {
			func(r *rig) { r.took(quick, times(4, fail)...); r.took(slow, ok); r.took(quick, times(4, fail)...) },
			breaker.Closed,
		},
	}, func(t *testing.T, c row) {
		b := newRig(t, bySlowness())
		c.calls(b)
		b.is(c.want)
	})
}

// A slow probe means that the provider has not recovered.
func TestWindowSlowProbeDoesNotClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, bySlowness())
		b.took(time.Second, times(4, ok)...)
		b.waitOpen()
		b.took(time.Second, ok)
		b.is(breaker.Open)
		if in := b.RetryIn(); !near(in, 30*time.Second) {
			t.Errorf("open for %s", in)
		}
		b.waitOpen()
		b.took(time.Second-1, ok)
		b.is(breaker.Closed)
	})
}
