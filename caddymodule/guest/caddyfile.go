package guest

import (
	"cmp"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
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
	if _, err := caddy.GetModule(ProviderNamespace + "." + module); err != nil {
		return d.Errf("unknown provider module %q%s", module,
			cmp.Or(block.DidYouMean(module, providerModules()), " (not in this build of Caddy)"))
	}
	own := moduleBlock(d)
	if err := c.Options().Parse(d, module, own.taking(module, c.Options().Words())); err != nil {
		return err
	}
	own.end = d.Token()
	if c.Name == "" {
		c.Name = module
	}
	mod, err := caddyfile.UnmarshalModule(own.dispenser(), ProviderNamespace+"."+module)
	if err != nil {
		return err
	}
	c.ProviderRaw = caddyconfig.JSONModuleObject(mod, "module", module, nil)
	return nil
}

// Options are the lines of the block that every provider has.
func (c *ProviderConfig) Options() block.Options {
	return block.Options{
		"name":        block.Text(&c.Name).Then(func() error { return checkName(c.Name) }),
		"timeout":     block.Duration(&c.Timeout),
		"retries":     {Parse: c.parseRetries},
		"fallback_on": {Parse: c.parseFallbackOn},
		"max_rate":    {Parse: c.parseMaxRate},
		"hedge":       {Parse: c.parseHedge},
		"model":       block.Texts(&c.Models).Then(func() error { return checkModelNames(c.Models) }),
		"breaker":     {Parse: c.parseBreaker},

		"max_in_flight": block.Number(&c.MaxInFlight, 1),
		"health":        {Parse: c.parseHealth},
		"ramp":          block.Duration(&c.Ramp),
	}
}

// ownBlock collects what of a provider's block is for its module: the name and
// the arguments, and the lines that are not common to all providers. The braces
// are the block's own, so that errors name right lines.
type ownBlock struct {
	head, lines []caddyfile.Token
	open, end   caddyfile.Token
}

// moduleBlock begins with the name of the module, which d stands on, and the
// arguments behind it.
func moduleBlock(d *caddyfile.Dispenser) *ownBlock {
	b := &ownBlock{head: []caddyfile.Token{d.Token()}}
	b.head = append(b.head, d.RemainingArgsAsTokens()...)
	if brace := *d; brace.Next() {
		b.open = brace.Token()
	}
	return b
}

// taking returns a function that collects the line d stands on with its block. Where
// the module says which options it has, others are refused here already, because
// only here the common ones are known too.
func (b *ownBlock) taking(module string, common []string) func(d *caddyfile.Dispenser) error {
	var own block.Options
	if m, ok := newProviderModule(module).(interface{ Options() block.Options }); ok {
		own = m.Options()
	}
	return func(d *caddyfile.Dispenser) error {
		if _, known := own[d.Val()]; own != nil && !known {
			return block.Unrecognized(d, module, slices.Concat(own.Words(), common))
		}
		b.lines = append(b.lines, d.NextSegment()...)
		return nil
	}
}

// newProviderModule returns an empty provider of a module of this build.
func newProviderModule(name string) caddy.Module {
	info, err := caddy.GetModule(ProviderNamespace + "." + name)
	if err != nil {
		return nil
	}
	return info.New()
}

// providerModules are the names of the provider modules of this build.
func providerModules() (names []string) {
	for _, info := range caddy.GetModules(ProviderNamespace) {
		names = append(names, info.ID.Name())
	}
	return names
}

// dispenser is the module's part as a block of its own.
func (b *ownBlock) dispenser() *caddyfile.Dispenser {
	tokens := b.head
	if len(b.lines) > 0 {
		tokens = slices.Concat(b.head, []caddyfile.Token{b.open}, b.lines, []caddyfile.Token{b.end})
	}
	d := caddyfile.NewDispenser(tokens)
	d.Next() // where UnmarshalModule expects it
	return d
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
