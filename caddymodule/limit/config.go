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

// RateLimitConfig limits how many sessions somebody may ask for.
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
		if c.By != telemetry.ScopeUser && c.By != telemetry.ScopeIP {
			return fmt.Errorf("rate_limit: invalid scope %q (want %s or %s)", c.By, telemetry.ScopeUser, telemetry.ScopeIP)
		}
		if seen[c.By] {
			return fmt.Errorf("rate_limit %s is given twice", c.By)
		}
		seen[c.By] = true
		if err := c.Rate().Check(); err != nil {
			return fmt.Errorf("rate_limit %s: %w", c.By, err)
		}
	}
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
