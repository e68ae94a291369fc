package chain_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// free is a provider without a memory.
type free struct{ secret session.Secret }

func (f free) Create(context.Context, *session.Request) (session.Session, error) {
	return session.Session{Secret: f.secret}, nil
}

func TestRunConcurrently(t *testing.T) {
	target := func(f free) *chain.Target {
		set := breaker.Defaults()
		set.Consecutive, set.Ratio = 0, 0
		return &chain.Target{
			Provider: f, Breaker: breaker.New(set, nil, nil), Observer: chaintest.Silent{}, Timeout: time.Second, Retries: 1, RetryBudget: chain.NewRetryBudget(),
		}
	}
	c := chain.Chain{Targets: []*chain.Target{target(free{""}), target(free{"s2"})}, Deadline: time.Minute}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if res := c.Run(t.Context(), &session.Request{}, session.Caller{}); res.Served != c.Targets[1] {
				t.Errorf("got %+v", res)
			}
		})
	}
	wg.Wait()
}
