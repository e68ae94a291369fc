package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// parseRateLimit parses `rate_limit user|ip <n> <duration>`.
func (h *Handler) parseRateLimit(d *caddyfile.Dispenser) error {
	var c RateLimitConfig
	if !d.NextArg() {
		return d.Errf("wrong syntax, want: rate_limit user|ip <n> <duration>")
	}
	c.By = d.Val()
	if err := c.parse(d, "rate_limit "+c.By); err != nil {
		return err
	}
	h.RateLimits = append(h.RateLimits, c)
	return block.Located(d, checkRateLimits(h.RateLimits))
}

// parseMaxRate parses `max_rate <n> <duration>`.
func (c *ProviderConfig) parseMaxRate(d *caddyfile.Dispenser) error {
	c.MaxRate = new(RateConfig)
	return c.MaxRate.parse(d, "max_rate")
}

// parse parses `<n> <duration>` behind an option.
func (c *RateConfig) parse(d *caddyfile.Dispenser, option string) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Errf("wrong syntax, want: %s <n> <duration> (such as 10 1m)", option)
	}
	if err := block.ParseNumber(d, option, args[0], 1, &c.Requests); err != nil {
		return err
	}
	if err := block.ParseDuration(d, option, args[1], &c.Per); err != nil {
		return err
	}
	return block.NoBlock(d, option)
}
