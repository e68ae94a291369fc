package caddymodule

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// RateConfig is how often something may happen.
type RateConfig struct {
	// How often: at once, and evenly spread again over each duration. At least 1.
	Requests int `json:"requests"`

	// The duration. Above 0.
	Per caddy.Duration `json:"per"`
}

func (c RateConfig) rate() ratelimit.Rate {
	return ratelimit.Rate{N: c.Requests, Per: time.Duration(c.Per)}
}

// RateLimitConfig limits how many sessions somebody may ask for.
type RateLimitConfig struct {
	// Who: "user", where visitors without an account count by their address unless
	// there is a limit by "ip" too; or "ip", the client's address as Caddy knows it (behind
	// another proxy that takes trusted_proxies); an IPv6 /64 is one address.
	By string `json:"by"`

	RateConfig
}

// checkRateLimits returns an error for invalid limits.
func checkRateLimits(limits []RateLimitConfig) error {
	seen := make(map[string]bool)
	for _, c := range limits {
		if c.By != telemetry.ScopeUser && c.By != telemetry.ScopeIP {
			return fmt.Errorf("rate_limit: invalid scope %q (want %s or %s)", c.By, telemetry.ScopeUser, telemetry.ScopeIP)
		}
		if seen[c.By] {
			return fmt.Errorf("rate_limit %s is given twice", c.By)
		}
		seen[c.By] = true
		if err := c.rate().Check(); err != nil {
			return fmt.Errorf("rate_limit %s: %w", c.By, err)
		}
	}
	return nil
}

// limits holds the rate limits of all handlers in use: a reload that leaves a
// handler as it is leaves the counts as they are. Handlers with the same settings
// share one, in which each site has counts of its own.
var limits = caddy.NewUsagePool()

// rateLimit is a rate limit in the pool.
type rateLimit struct{ *ratelimit.Buckets }

// Destruct implements [caddy.Destructor].
func (rateLimit) Destruct() error { return nil }

// provisionLimits takes the handler's rate limits from the pool. hash identifies
// the handler.
func (h *Handler) provisionLimits(hash string) error {
	if err := checkRateLimits(h.RateLimits); err != nil {
		return err
	}
	for _, c := range h.RateLimits {
		l, err := h.buckets(c.By+"@"+hash, c.rate())
		if err != nil {
			return err
		}
		if c.By == telemetry.ScopeUser {
			h.perUser = &requestLimit{l, h.siteKey, c.By, "user"}
		} else {
			h.perAddress = &requestLimit{l, h.siteKey, c.By, "address"}
		}
	}
	for path, rt := range h.routes {
		if rt.proxy == nil || rt.proxy.turns == nil || rt.proxy.turns.rate == nil {
			continue
		}
		l, err := h.buckets("turns "+path+"@"+hash, rt.proxy.turns.rate.rate())
		if err != nil {
			return err
		}
		rt.proxy.turns.Options.Turns = func(caller string) time.Duration { return l.Take(h.siteKey() + caller) }
	}
	return nil
}

// buckets takes a rate limit from the pool.
func (h *Handler) buckets(key string, rate ratelimit.Rate) (*ratelimit.Buckets, error) {
	v, _, err := limits.LoadOrNew(key, func() (caddy.Destructor, error) {
		return rateLimit{ratelimit.NewBuckets(rate, ratelimit.Size)}, nil
	})
	if err != nil {
		return nil, err
	}
	h.limitKeys = append(h.limitKeys, key)
	l, ok := v.(rateLimit)
	if !ok {
		return nil, fmt.Errorf("pool holds a %T", v)
	}
	return l.Buckets, nil
}

// releaseLimits gives back what provisionLimits took.
func (h *Handler) releaseLimits() (errs []error) {
	for _, key := range h.limitKeys {
		if _, err := limits.Delete(key); err != nil {
			errs = append(errs, err)
		}
	}
	h.limitKeys = nil
	return errs
}

// requestLimit is one of the handler's rate limits. A nil one limits nothing.
type requestLimit struct {
	*ratelimit.Buckets
	site         func() string
	scope, whose string
}

// take refuses a request for which there is no token.
func (l *requestLimit) take(key string) *problem {
	if l == nil {
		return nil
	}
	wait := l.Take(l.site() + key)
	if wait == 0 {
		return nil
	}
	telemetry.RateLimited(l.scope)
	return &problem{Status: http.StatusTooManyRequests, Code: codeRateLimited, Title: "Too many requests",
		Details: "Too many session requests of this " + l.whose, RetryAfter: wait}
}

// network returns what counts as one address: of IPv6 a /64, the least that one
// subscriber has.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Unmap().Is4() {
		return addr
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.String()
}
