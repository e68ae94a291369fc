package limit

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

// stream is the word in front of a limit of carried requests.
const stream = "stream"

// ParseRateLimit parses `rate_limit [stream] user|ip <n> <duration>`. It reports
// whether the limit is one of carried requests.
func ParseRateLimit(d *caddyfile.Dispenser) (c RateLimitConfig, carried bool, err error) {
	args, err := block.Args(d, 2, 4, syntax+" (such as user 10 1m)")
	if err != nil {
		return c, false, err
	}
	if carried = args[0] == stream; carried {
		args = args[1:]
	}
	return c, carried, c.parse(d, args)
}

const syntax = "rate_limit [stream] user|ip <n> <duration>"

func (c *RateLimitConfig) parse(d *caddyfile.Dispenser, args []string) error {
	switch {
	case len(args) != 2 && len(args) != 3:
		return d.Errf("wrong syntax, want: %s (such as user 10 1m)", syntax)
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

// UnmarshalCaddyfile sets up a limit from `max_streams user|ip <n>`.
func (c *MaxStreamsConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 2, 2, "max_streams user|ip <n> (such as user 5)")
	if err != nil {
		return err
	}
	c.By = args[0]
	if err := block.ParseNumber(d, "max_streams", args[1], 1, &c.Streams); err != nil {
		return err
	}
	return block.NoBlock(d, "max_streams")
}
