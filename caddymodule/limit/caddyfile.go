package limit

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

// UnmarshalCaddyfile sets up a limit from `rate_limit user|ip <n> <duration>`.
func (c *RateLimitConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
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
	return c.Parse(d, "rate_limit", args[1], args[2])
}

// Parse parses `<n> <duration>`, the arguments that end the line of an option.
func (c *RateConfig) Parse(d *caddyfile.Dispenser, option, n, per string) error {
	if err := block.ParseNumber(d, option, n, 1, &c.Requests); err != nil {
		return err
	}
	if err := block.ParseDuration(d, option, per, &c.Per); err != nil {
		return err
	}
	return block.NoBlock(d, option)
}
