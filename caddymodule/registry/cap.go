package registry

import (
	"sync/atomic"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// Cap bounds how many sessions a provider is asked for, by all instances together
// where there is a fleet. It implements [chain.Cap].
type Cap struct {
	provider *Provider
	rate     fleet.Rate
	local    *ratelimit.Bucket
	denied   atomic.Int64 // until when the fleet has no token, in nanoseconds since 1970
}

func newCap(p *Provider, r ratelimit.Rate) *Cap {
	return &Cap{provider: p, rate: fleet.Rate{N: r.N, Per: r.Per}, local: ratelimit.NewBucket(r)}
}

// Take takes a token, or returns how long it will be until there is one. Where the
// fleet does not answer, the instance's own bucket decides.
func (c *Cap) Take() time.Duration {
	if wait := c.wait(); wait > 0 {
		return wait
	}
	wait, known := c.ask()
	if !known {
		return c.local.Take()
	}
	if wait > 0 {
		c.denied.Store(time.Now().Add(wait).UnixNano())
		return wait
	}
	c.local.Take()
	return 0
}

func (c *Cap) ask() (wait time.Duration, known bool) {
	p := &c.provider.fleet
	p.mu.Lock()
	f, subject := p.fleet, p.subject
	p.mu.Unlock()
	if f == nil {
		return 0, false
	}
	return f.Take("max_rate:"+subject, c.rate)
}

// Wait returns how long it will be until there is a token, as far as is known here.
func (c *Cap) Wait() time.Duration {
	if c.provider.fleet.in() == nil {
		return c.local.Wait()
	}
	return c.wait()
}

func (c *Cap) wait() time.Duration { return max(time.Until(time.Unix(0, c.denied.Load())), 0) }
