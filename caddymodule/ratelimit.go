package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
	"github.com/caddy-chatkit/caddy-chatkit/session"
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
	// Who: "user", or "ip", the client's address as Caddy knows it (behind
	// another proxy that takes trusted_proxies); an IPv6 /64 is one address.
	By string `json:"by"`

	RateConfig
}

// Whom a rate limit counts, also as a metric label.
const (
	limitUser = "user"
	limitIP   = "ip"
)

// check returns an error for limits that make no sense.
func checkRateLimits(limits []RateLimitConfig) error {
	seen := make(map[string]bool)
	for _, c := range limits {
		if c.By != limitUser && c.By != limitIP {
			return fmt.Errorf("rate_limit: %q is none of %s, %s", c.By, limitUser, limitIP)
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
// handler as it is leaves the counts as they are.
var limits = caddy.NewUsagePool()

// rateLimit is a rate limit in the pool.
type rateLimit struct{ *ratelimit.Buckets }

// Destruct implements [caddy.Destructor].
func (rateLimit) Destruct() error { return nil }

// provisionLimits takes the handler's rate limits from the pool.
func (h *Handler) provisionLimits() error {
	if err := checkRateLimits(h.RateLimits); err != nil {
		return err
	}
	if len(h.RateLimits) == 0 {
		return nil
	}
	settings, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("hashing settings: %w", err)
	}
	for _, c := range h.RateLimits {
		key := fmt.Sprintf("%s@%x", c.By, sha256.Sum256(settings))
		v, _, err := limits.LoadOrNew(key, func() (caddy.Destructor, error) {
			return rateLimit{ratelimit.NewBuckets(c.rate(), ratelimit.Size)}, nil
		})
		if err != nil {
			return err
		}
		h.limitKeys = append(h.limitKeys, key)
		l, ok := v.(rateLimit)
		if !ok {
			return fmt.Errorf("pool holds a %T", v)
		}
		if c.By == limitUser {
			h.byUser = l.Buckets
		} else {
			h.byIP = l.Buckets
		}
	}
	if h.byUser != nil && h.byIP == nil && h.Anonymous != nil {
		h.logger.Warn("rate_limit user does not bound visitors without an account: anybody can be a new one; add rate_limit ip")
	}
	return nil
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

// limitAddress refuses a client whose address asks too often.
func (x *exchange) limitAddress() *refusal {
	if x.h.byIP == nil {
		return nil
	}
	addr, _ := caddyhttp.GetVar(x.r.Context(), caddyhttp.ClientIPVarKey).(string)
	return limited(x.h.byIP.Take(network(addr)), limitIP, "address")
}

// limitUser refuses a user who asks too often.
func (x *exchange) limitUser() *refusal {
	if x.h.byUser == nil {
		return nil
	}
	return limited(x.h.byUser.Take(x.req.User), limitUser, "user")
}

func limited(wait time.Duration, scope, whose string) *refusal {
	if wait == 0 {
		return nil
	}
	metrics.rateLimited.WithLabelValues(scope).Inc()
	return &refusal{Status: http.StatusTooManyRequests, Code: codeRateLimited, Title: "Too many requests",
		Details: "Too many session requests of this " + whose, RetryAfter: wait}
}

// network is what counts as one address: of IPv6 a /64, which is what one
// subscriber has at least.
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

// cappedGate is a breaker behind which no more than so many sessions are asked
// for: an outage of others is then neither a bill nor an attack.
type cappedGate struct {
	*breaker.Gate

	bucket *ratelimit.Bucket
}

// Allow implements [chain.Gate].
func (g cappedGate) Allow() (done func(session.Effect, time.Duration), reason Reason) {
	done, reason = g.Gate.Allow()
	if reason != session.OK {
		return done, reason
	}
	if g.bucket.Take() > 0 {
		done(session.Excluded, 0)
		return nil, session.RateLimited
	}
	return done, session.OK
}

// RetryIn implements [chain.Gate].
func (g cappedGate) RetryIn() time.Duration { return max(g.Gate.RetryIn(), g.bucket.Wait()) }
