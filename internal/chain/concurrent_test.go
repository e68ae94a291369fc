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

func (silent) Attempted(*chain.Link, session.Verdict, time.Duration, error) {}
func (silent) Skipped(*chain.Link, session.Reason)                          {}
func (silent) Retrying(*chain.Link)                                         {}

// free is a gate and a provider without a memory.
type free struct{ secret session.Secret }

func (f free) Create(context.Context, *session.Request) (session.Session, error) {
	return session.Session{Secret: f.secret}, nil
}

func (free) Allow() (func(session.Effect, time.Duration), session.Reason) {
	return func(session.Effect, time.Duration) {}, session.OK
}
func (free) CoolDown(time.Duration) {}
func (free) RetryIn() time.Duration { return 0 }

func TestRunConcurrently(t *testing.T) {
	link := func(f free) *chain.Link {
		return &chain.Link{Provider: f, Gate: f, Timeout: time.Second, Retries: 1, RetryBudget: chain.NewRetryBudget()}
	}
	c := chain.Chain{Links: []*chain.Link{link(free{""}), link(free{"s2"})}, Deadline: time.Minute}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if res := c.Run(t.Context(), &session.Request{}, silent{}); res.Served != c.Links[1] {
				t.Errorf("got %+v", res)
			}
		})
	}
	wg.Wait()
}
