package limit

import (
	"fmt"
	"strconv"
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

// Rate returns the rate that is configured.
func (c RateConfig) Rate() ratelimit.Rate {
	return ratelimit.Rate{N: c.Requests, Per: time.Duration(c.Per)}
}

// RateLimitConfig limits how many sessions somebody may ask for, or how many requests
// are carried.
type RateLimitConfig struct {
	// Who: "user", where visitors without an account count by their address unless
	// there is a limit by "ip" too; or "ip", the client's address as Caddy knows it (behind
	// another proxy that takes trusted_proxies); an IPv6 /64 is one address.
	By string `json:"by"`

	RateConfig
}

// Check returns an error for invalid limits.
func Check(limits []RateLimitConfig) error {
	seen := make(map[string]bool)
	for _, c := range limits {
		if err := checkScope("rate_limit", c.By, seen); err != nil {
			return err
		}
		if err := c.Rate().Check(); err != nil {
			return fmt.Errorf("rate_limit %s: %w", c.By, err)
		}
	}
	return nil
}

// checkScope returns an error for an invalid scope, and for one that was seen.
func checkScope(option, scope string, seen map[string]bool) error {
	if scope != telemetry.ScopeUser && scope != telemetry.ScopeIP {
		return fmt.Errorf("%s: invalid scope %q (want %s or %s)", option, scope, telemetry.ScopeUser, telemetry.ScopeIP)
	}
	if seen[scope] {
		return fmt.Errorf("%s %s is given twice", option, scope)
	}
	seen[scope] = true
	return nil
}

// String returns the limit as it stands in a Caddyfile.
func (c RateLimitConfig) String() string {
	return c.By + " " + c.RateConfig.String()
}

// String returns the rate as it stands in a Caddyfile.
func (c RateConfig) String() string {
	return strconv.Itoa(c.Requests) + " " + time.Duration(c.Per).String()
}
