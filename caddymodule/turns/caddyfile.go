package turns

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby"
)

// Options are the lines of the block of a chatkit route.
func (c *TurnConfig) Options() block.Options {
	return block.Options{
		"first_token":   block.Duration(&c.FirstToken),
		"on_disconnect": {Parse: c.parseOnDisconnect},
		"attach":        block.Text(&c.Attach).Then(c.Check),
		"turns":         {Parse: c.parseTurns},
		"parallel":      block.Number(&c.Parallel, 1),
		"thread_owner":  block.Text(&c.ThreadOwner).Then(c.Check),
		"standin":       standby.Option(&c.StandIns),
		"memory":        {Parse: func(d *caddyfile.Dispenser) error { return outage.ParseMemory(d, &c.Memory) }},
		"handback":      {Parse: func(d *caddyfile.Dispenser) error { return outage.ParseHandback(d, &c.Handback) }},
	}
}

// parseOnDisconnect parses `on_disconnect cancel` and `on_disconnect finish [<max>]`.
func (c *TurnConfig) parseOnDisconnect(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 1, 2, "on_disconnect cancel|finish [<max>]")
	if err != nil {
		return err
	}
	c.OnDisconnect = args[0]
	if len(args) == 2 {
		if err := block.ParseDuration(d, "on_disconnect", args[1], &c.Finish); err != nil {
			return err
		}
	}
	if err := c.Check(); err != nil {
		return block.Located(d, err)
	}
	return block.NoBlock(d, "on_disconnect")
}

// parseTurns parses `turns <n> <duration>`.
func (c *TurnConfig) parseTurns(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 2, 2, "turns <n> <duration> (such as 10 1m)")
	if err != nil {
		return err
	}
	c.Turns = new(limit.RateConfig)
	return c.Turns.Parse(d, "turns", args[0], args[1])
}
