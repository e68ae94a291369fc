package chain

import (
	"sync"

	"golang.org/x/time/rate"
)

// The retry budget: retries may add this share to the requests of a provider,
// and this many a second in any case, so that a provider in trouble is not
// buried under its own retries.
const (
	retryShare  = 0.2
	retryFloor  = 3
	maxInCredit = 100
)

// RetryBudget bounds the retries of one provider. It is safe for concurrent use.
type RetryBudget struct {
	floor *rate.Limiter

	mu     sync.Mutex
	credit float64
}

// NewRetryBudget returns a budget with nothing earned yet but its floor.
func NewRetryBudget() *RetryBudget {
	return &RetryBudget{floor: rate.NewLimiter(retryFloor, retryFloor)}
}

// Earn is called once for each request that asks the provider.
func (b *RetryBudget) Earn() {
	b.mu.Lock()
	b.credit = min(b.credit+retryShare, maxInCredit)
	b.mu.Unlock()
}

// Spend asks for one retry.
func (b *RetryBudget) Spend() bool {
	b.mu.Lock()
	earned := b.credit >= 1
	if earned {
		b.credit--
	}
	b.mu.Unlock()
	return earned || b.floor.Allow()
}
