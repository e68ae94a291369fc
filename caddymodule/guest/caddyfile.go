package guest

import (
	"cmp"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// UnmarshalCaddyfile sets up a provider from Caddyfile tokens. The options that
// every provider has are parsed here, all others by its module. Syntax:
//
//	provider <module> [<arguments>...] {
//		name        <name>
//		timeout     <duration>
//		retries     <n> [<backoff>]
//		fallback_on <status>...
//		model       <name>...
//		max_rate    <n> <duration>
//		hedge       <duration>|p95
//		max_in_flight <n>
//		health      <path> [<interval>]
//		ramp        <duration>
//		breaker {
//			...
//		}
//		<options of the module>
//	}
func (c *ProviderConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.NextArg() || d.Val() == "" {
		return d.Errf("wrong syntax, want: provider <module> (such as backend or openai)")
	}
	module := d.Val()
	raw, err := block.ParseGuest(d, ProviderNamespace, "provider", c.Options())
	if err != nil {
		return err
	}
	c.ProviderRaw, c.Name = raw, cmp.Or(c.Name, module)
	return nil
}

// Options are the lines of the block that every provider has.
func (c *ProviderConfig) Options() block.Options {
	return block.Options{
		"name":        block.Text(&c.Name).Then(func() error { return CheckName(c.Name) }),
		"timeout":     block.Duration(&c.Timeout),
		"retries":     {Parse: c.parseRetries},
		"fallback_on": {Parse: c.parseFallbackOn},
		"max_rate":    {Parse: c.parseMaxRate},
		"hedge":       {Parse: c.parseHedge},
		"model":       block.Texts(&c.Models).Then(func() error { return checkModelNames(c.Models) }),
		"breaker":     BreakerOption(&c.Breaker),

		"max_in_flight": block.Number(&c.MaxInFlight, 1),
		"health":        {Parse: c.parseHealth},
		"ramp":          block.Duration(&c.Ramp),
	}
}

func (c *ProviderConfig) parseRetries(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 1, 2, "retries <n> [<backoff>]")
	if err != nil {
		return err
	}
	c.Retries = new(int)
	if err := block.ParseNumber(d, "retries", args[0], 0, c.Retries); err != nil {
		return err
	}
	if *c.Retries > maxRetries {
		return d.Errf("retries: %d is too high (maximum %d)", *c.Retries, maxRetries)
	}
	if len(args) == 2 {
		if err := block.ParseDuration(d, "retries backoff", args[1], &c.Backoff); err != nil {
			return err
		}
	}
	return block.NoBlock(d, "retries")
}

func (c *ProviderConfig) parseFallbackOn(d *caddyfile.Dispenser) error {
	if err := block.Texts(&c.FallbackOn).Parse(d); err != nil {
		return err
	}
	if _, err := session.ParseStatusSet(c.FallbackOn); err != nil {
		return d.Errf("fallback_on: %w", err)
	}
	return nil
}

// parseMaxRate parses `max_rate <n> <duration>`.
func (c *ProviderConfig) parseMaxRate(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 2, 2, "max_rate <n> <duration> (such as 10 1m)")
	if err != nil {
		return err
	}
	c.MaxRate = new(limit.RateConfig)
	return c.MaxRate.Parse(d, "max_rate", args[0], args[1])
}
