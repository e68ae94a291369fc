package standby

import (
	"cmp"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
)

// Option is the line `standin` of a chatkit route, which may be given more than once.
func Option(into *[]*StandInConfig) block.Option {
	return block.Option{Many: true, Parse: func(d *caddyfile.Dispenser) error {
		at := *d
		c := new(StandInConfig)
		if err := c.UnmarshalCaddyfile(d); err != nil {
			return err
		}
		*into = append(*into, c)
		return block.Located(&at, Check(*into))
	}}
}

// UnmarshalCaddyfile sets up a stand-in from Caddyfile tokens. The options that every
// stand-in has are parsed here, all others by its module. Syntax:
//
//	standin <module> [<arguments>...] {
//		name      <name>
//		timeout   <duration>
//		max_turns <n> <duration>
//		breaker {
//			...
//		}
//		<options of the module>
//	}
func (c *StandInConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.NextArg() || d.Val() == "" {
		return d.Errf("wrong syntax, want: standin <module> (such as say or openai_chat)")
	}
	module := d.Val()
	raw, err := block.ParseGuest(d, Namespace, "stand-in", c.Options())
	if err != nil {
		return err
	}
	c.StandInRaw, c.Name = raw, cmp.Or(c.Name, module)
	return nil
}

// Options are the lines of the block that every stand-in has.
func (c *StandInConfig) Options() block.Options {
	return block.Options{
		"name":      block.Text(&c.Name).Then(func() error { return guest.CheckName(c.Name) }),
		"timeout":   block.Duration(&c.Timeout).Then(c.checkTimeout),
		"max_turns": {Parse: c.parseMaxTurns},
		"breaker":   guest.BreakerOption(&c.Breaker),
	}
}

// parseMaxTurns parses `max_turns <n> <duration>`.
func (c *StandInConfig) parseMaxTurns(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 2, 2, "max_turns <n> <duration> (such as 100 1m)")
	if err != nil {
		return err
	}
	c.MaxTurns = new(limit.RateConfig)
	return c.MaxTurns.Parse(d, "max_turns", args[0], args[1])
}
