package ratelimit

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// Rate limits how often something may happen: a burst of N, refilled evenly at N
// per Per.
type Rate struct {
	N   int
	Per time.Duration
}

// Check returns an error for a rate that lets nothing through.
func (r Rate) Check() error {
	switch {
	case r.N < 1:
		return fmt.Errorf("%d is too low (minimum 1)", r.N)
	case r.Per <= 0:
		return fmt.Errorf("invalid duration %s (want above 0)", r.Per)
	}
	return nil
}

// Bucket is a token bucket. It is safe for concurrent use.
type Bucket struct{ l *rate.Limiter }

// NewBucket returns a full bucket. The rate must pass [Rate.Check].
func NewBucket(r Rate) *Bucket {
	return &Bucket{rate.NewLimiter(rate.Limit(float64(r.N)/r.Per.Seconds()), r.N)}
}

// Take takes a token and returns 0. If there is none, it returns the time until
// the next token, at least 1 ns.
func (b *Bucket) Take() (wait time.Duration) {
	now := time.Now()
	if b.l.AllowN(now, 1) {
		return 0
	}
	return max(b.wait(now), 1)
}

// Wait returns the time until there is a token, or 0 if there is one now.
func (b *Bucket) Wait() time.Duration { return b.wait(time.Now()) }

func (b *Bucket) wait(now time.Time) time.Duration {
	missing := 1 - b.l.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(b.l.Limit()) * float64(time.Second)))
}
