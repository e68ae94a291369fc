package chain

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// fullJitter is a random wait between 0 and base·2^try. The library spreads a
// wait around its interval by a factor, so half of it with factor 1.
func fullJitter(base time.Duration, try int) time.Duration {
	b := backoff.ExponentialBackOff{
		InitialInterval:     base << min(try, 10) / 2,
		RandomizationFactor: 1,
		Multiplier:          1,
		MaxInterval:         time.Minute,
	}
	return max(b.NextBackOff(), 0)
}
