package chain_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// silent is an observer that keeps nothing, so that many may share it.
type silent struct{}

func (silent) Attempted(string, session.Verdict, time.Duration, error) {}
func (silent) Skipped(session.Reason)                                  {}
func (silent) Retrying()                                               {}
func (silent) FellBack(string, string, session.Reason)                 {}

// free is a breaker and a provider without a memory.
type free struct{ secret session.Secret }

func (f free) Create(context.Context, *session.Request) (session.Session, error) {
	return session.Session{Secret: f.secret}, nil
}

func (free) Allow() (func(session.Verdict, time.Duration), session.Reason) {
	return func(session.Verdict, time.Duration) {}, session.OK
}
func (free) RetryIn() time.Duration { return 0 }
func (free) Closed() bool           { return true }

func TestRunConcurrently(t *testing.T) {
	target := func(f free) *chain.Target {
		return &chain.Target{Provider: f, Breaker: f, Observer: silent{}, Timeout: time.Second, Retries: 1, RetryBudget: chain.NewRetryBudget()}
	}
	c := chain.Chain{Targets: []*chain.Target{target(free{""}), target(free{"s2"})}, Deadline: time.Minute}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if res := c.Run(t.Context(), &session.Request{}); res.Served != c.Targets[1] {
				t.Errorf("got %+v", res)
			}
		})
	}
	wg.Wait()
}
