package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

// parseRateLimit parses `rate_limit user|ip <n> <duration>`.
func (h *Handler) parseRateLimit(d *caddyfile.Dispenser) error {
	var c RateLimitConfig
	const syntax = "rate_limit user|ip <n> <duration>"
	args, err := block.Args(d, 2, 3, syntax+" (such as user 10 1m)")
	switch {
	case err != nil:
		return err
	case len(args) == 2 && (args[0] == telemetry.ScopeUser || args[0] == telemetry.ScopeIP):
		return d.Errf("rate_limit: the duration after %s %s is missing (want %s)", args[0], args[1], syntax)
	case len(args) == 2:
		return d.Errf("rate_limit: user or ip is missing before %s %s (want %s)", args[0], args[1], syntax)
	}
	c.By = args[0]
	if err := c.parse(d, "rate_limit", args[1], args[2]); err != nil {
		return err
	}
	h.RateLimits = append(h.RateLimits, c)
	return block.Located(d, checkRateLimits(h.RateLimits))
}

// parseMaxRate parses `max_rate <n> <duration>`.
func (c *ProviderConfig) parseMaxRate(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 2, 2, "max_rate <n> <duration> (such as 10 1m)")
	if err != nil {
		return err
	}
	c.MaxRate = new(RateConfig)
	return c.MaxRate.parse(d, "max_rate", args[0], args[1])
}

// parse parses `<n> <duration>`, the arguments that end the line of an option.
func (c *RateConfig) parse(d *caddyfile.Dispenser, option, n, per string) error {
	if err := block.ParseNumber(d, option, n, 1, &c.Requests); err != nil {
		return err
	}
	if err := block.ParseDuration(d, option, per, &c.Per); err != nil {
		return err
	}
	return block.NoBlock(d, option)
}
