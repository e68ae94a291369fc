package chain_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestRunSkipsWhatItsBreakerRefuses(t *testing.T) {
	for _, reason := range []session.Reason{session.Open, session.ForcedOpen, session.Cooldown} {
		t.Run(string(reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				a, b := r.add("a", gives("s1")), r.add("b", gives("s2"))
				a.Refusals = []session.Reason{reason}
				a.Retries = 3
				start := time.Now()
				res := r.run(t.Context())
				served(t, res, "b", reason)
				if !res.Fallback() || res.Reason() != reason {
					t.Errorf("got %+v", res)
				}
				if v := res.Steps[0].Verdict; v.Effect != excluded || !v.Next {
					t.Errorf("got verdict %+v", v)
				}
				a.asked()
				b.asked(okay)
				r.Saw("skip a "+string(reason), "attempt b ")
				if took := time.Since(start); took != 0 {
					t.Errorf("skipping took %s", took)
				}
			})
		})
	}
}

func TestResultRetryIn(t *testing.T) {
	type row struct {
		waits []time.Duration
		want  time.Duration
	}
	chaintest.Each(t, map[string]row{
		"one":                               {[]time.Duration{7 * time.Second}, 7 * time.Second},
		"the shortest, first":               {[]time.Duration{4 * time.Second, 9 * time.Second}, 4 * time.Second},
		"the shortest, last":                {[]time.Duration{9 * time.Second, 4 * time.Second}, 4 * time.Second},
		"a probe is under way at the first": {[]time.Duration{0, 9 * time.Second}, 0},
		"a probe is under way at the last":  {[]time.Duration{9 * time.Second, 0}, 0},
		"all at once":                       {[]time.Duration{0, 0}, 0},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		for _, d := range c.waits {
			f := r.add("f", gives("s"))
			f.Refusals, f.Wait = []session.Reason{session.Open}, d
		}
		res := r.run(t.Context())
		if res.Served != nil || res.RetryIn != c.want || res.Upstream != 0 {
			t.Errorf("got %+v, want retry in %s", res, c.want)
		}
	})
}

// A cap bounds the sessions that are asked for, retries included.
func TestRunWithACap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", answers(503), answers(503), gives("s1"))
		a.Cap, a.Retries = ratelimit.NewBucket(ratelimit.Rate{N: 2, Per: time.Hour}), 1
		served(t, r.run(t.Context()), "", session.Status5xx)
		res := r.run(t.Context())
		served(t, res, "", session.RateLimited)
		if res.RetryIn != 30*time.Minute {
			t.Errorf("retry in %s", res.RetryIn)
		}
		if a.Permits != 3 || len(a.limits) != 2 || a.Effects[2] != excluded {
			t.Errorf("%d permits, %d attempts, %v", a.Permits, len(a.limits), a.Effects)
		}
	})
}

// With the real breaker: five requests open it, the sixth does not ask the
// provider, and after the open time one probe closes it again.
func TestRunWithABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", answers(500), answers(500), answers(500), answers(500), answers(500), gives("s1"))
		r.add("b", gives("s2"))
		own := breaker.New(breaker.Defaults(), nil, nil)
		a.Target.Breaker = own
		for range 5 {
			served(t, r.run(t.Context()), "b", session.Status5xx)
		}
		served(t, r.run(t.Context()), "b", session.Open)
		if n := len(a.limits); n != 5 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(own.RetryIn() + 1)
		served(t, r.run(t.Context()), "a")
		if own.State() != breaker.Closed {
			t.Errorf("breaker is %s", own.State())
		}
	})
}

// A provider that asked for time is left alone until it is over.
func TestRunWithABreakerCoolingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", fails(session.Failure{Status: 429, RetryAfter: 30 * time.Second}), gives("s1"))
		a.Target.Breaker = breaker.New(breaker.Defaults(), nil, nil)
		served(t, r.run(t.Context()), "", session.Status429)
		res := r.run(t.Context())
		served(t, res, "", session.Cooldown)
		if res.RetryIn != 30*time.Second {
			t.Errorf("retry in %s", res.RetryIn)
		}
		time.Sleep(30 * time.Second)
		served(t, r.run(t.Context()), "a")
	})
}
