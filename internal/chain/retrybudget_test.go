package chain_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// spend counts the retries a budget has left.
func spend(b *chain.RetryBudget) (n int) {
	for b.Spend() {
		n++
	}
	return n
}

func TestRetryBudget(t *testing.T) {
	const floor = 3
	type row struct {
		requests int
		want     int
	}
	chaintest.Each(t, map[string]row{
		"nothing but the floor":   {0, floor},
		"less than one earned":    {4, floor},
		"one earned":              {5, floor + 1},
		"a fifth of the requests": {100, floor + 20},
		"credit has an end":       {100_000, floor + 100},
	}, func(t *testing.T, c row) {
		b := chain.NewRetryBudget()
		for range c.requests {
			b.Earn()
		}
		// Five fifths may make a little less than one.
		if n := spend(b); n != c.want && n != c.want-1 || n < floor {
			t.Errorf("%d retries for %d requests, want %d", n, c.requests, c.want)
		}
	})
}

func TestRetryBudgetFloorIsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chain.NewRetryBudget()
		for range 5 {
			if n := spend(b); n != 3 {
				t.Fatalf("%d retries, want 3", n)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		if n := spend(b); n != 3 {
			t.Errorf("%d retries after an idle hour, want 3", n)
		}
	})
}

func TestRetryBudgetConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chain.NewRetryBudget()
		var spent atomic.Int32
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 10 {
					b.Earn()
					if b.Spend() {
						spent.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if n := spent.Load() + int32(spend(b)); n < 42 || n > 43 {
			t.Errorf("%d retries for 200 requests at once, want 43", n)
		}
	})
}

// Of a burst of requests that all fail, a fifth is tried again and no more.
func TestRunKeepsToTheRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", because(session.Dial))
		a.Retries = 5
		for range 100 {
			r.run(t.Context())
		}
		if n := len(a.limits); n < 122 || n > 123 {
			t.Errorf("100 requests made %d attempts, want 123", n)
		}
	})
}

// Requests that an open breaker keeps from the provider once earned retries all
// the same: a storm of them was due just when the provider came back.
func TestSkippedRequestsEarnNoRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", gives("s1"))
		for range 500 {
			a.Refusals = []session.Reason{session.Open}
			r.run(t.Context())
		}
		if n := spend(a.RetryBudget); n != 3 {
			t.Errorf("%d retries after requests that were all skipped, want 3", n)
		}
	})
}
