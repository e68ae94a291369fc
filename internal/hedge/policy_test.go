package hedge

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

func TestPolicyFixed(t *testing.T) {
	p := New(300 * ms)
	p.Answered(time.Hour) // is of no concern
	if d, ok := p.After(); d != 300*ms || !ok {
		t.Errorf("got %s, %t", d, ok)
	}
}

// What a percentile is made of: at least 20 answers of the last minute.
func TestPolicyPercentile(t *testing.T) {
	cases := map[string]struct {
		answers func(p *Policy)
		low     time.Duration // 0: not known
		high    time.Duration
	}{
		"none":              {func(*Policy) {}, 0, 0},
		"nineteen":          {func(p *Policy) { answer(p, 19, 20*ms) }, 0, 0},
		"twenty":            {func(p *Policy) { answer(p, 20, 20*ms) }, 20 * ms, 21 * ms},
		"one slow":          {func(p *Policy) { answer(p, 19, 20*ms); answer(p, 1, 2*time.Second) }, 20 * ms, 21 * ms},
		"half of them slow": {func(p *Policy) { answer(p, 100, 20*ms); answer(p, 100, 2*time.Second) }, 2 * time.Second, 2100 * ms},
		"exactly one in twenty slow": {
			func(p *Policy) { answer(p, 950, 20*ms); answer(p, 50, 2*time.Second) }, 20 * ms, 21 * ms,
		},
		"one in ten slow":   {func(p *Policy) { answer(p, 900, 20*ms); answer(p, 100, 2*time.Second) }, 2 * time.Second, 2100 * ms},
		"over a minute ago": {func(p *Policy) { answer(p, 100, 20*ms); time.Sleep(time.Minute) }, 0, 0},
		"within a minute":   {func(p *Policy) { answer(p, 100, 20*ms); time.Sleep(49 * time.Second) }, 20 * ms, 21 * ms},
		"now faster": {
			func(p *Policy) { answer(p, 100, 2*time.Second); time.Sleep(time.Minute); answer(p, 20, 20*ms) }, 20 * ms, 21 * ms,
		},
		"at once":     {func(p *Policy) { answer(p, 20, 0) }, ms, ms},
		"for an hour": {func(p *Policy) { answer(p, 20, time.Hour) }, 100 * time.Second, 200 * time.Second},
		"in no time":  {func(p *Policy) { answer(p, 20, -1) }, ms, ms},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(P95)
				c.answers(p)
				if d, ok := p.After(); d < c.low || d > c.high || ok != (c.low > 0) {
					t.Errorf("got %s, %t; want %s to %s", d, ok, c.low, c.high)
				}
			})
		})
	}
}

func answer(p *Policy, n int, took time.Duration) {
	for range n {
		p.Answered(took)
	}
}

// Computed again after a moment, not for each request.
func TestPolicyPercentileIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(P95)
		answer(p, 20, 20*ms)
		first, _ := p.After()
		answer(p, 200, 2*time.Second)
		if d, _ := p.After(); d != first {
			t.Errorf("got %s at once", d)
		}
		time.Sleep(fresh)
		if d, _ := p.After(); d < 2*time.Second {
			t.Errorf("got %s", d)
		}
	})
}

// The share over ten seconds of load that comes and goes never passes a tenth.
func TestPolicyCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Second)
		requests := make([]time.Time, 0, 5000)
		var hedges []time.Time
		total := 0
		r := rand.New(rand.NewPCG(1, 2))
		for range 5000 {
			time.Sleep(time.Duration(r.Int64N(int64(20 * ms))))
			p.Asked()
			requests = append(requests, time.Now())
			if p.Take() {
				total++
				hedges = append(hedges, time.Now())
				if h, n := within(hedges), within(requests); h*10 > n {
					t.Fatalf("%d hedges of %d requests in ten seconds", h, n)
				}
			}
			if s := p.Share(); s > 0.1 {
				t.Fatalf("the share is %v", s)
			}
		}
		if total < 350 {
			t.Errorf("only %d hedges of 5000 requests that wanted one", total)
		}
		time.Sleep(11 * time.Second)
		if p.Share() != 0 || p.Take() {
			t.Error("hedged without a request")
		}
	})
}

// within counts the times of the last ten seconds.
func within(all []time.Time) (n int) {
	for _, at := range all {
		if time.Since(at) < 10*time.Second {
			n++
		}
	}
	return n
}
