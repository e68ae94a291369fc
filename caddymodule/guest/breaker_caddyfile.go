package guest

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// BreakerOption is the breaker block. Syntax:
//
//	breaker {
//		consecutive <n>|off
//		ratio       <percent> of <n> in <duration>|off
//		slow        <duration> <percent>
//		open        <duration> [<max>]
//		probes      <n>
//	}
func BreakerOption(into **BreakerConfig) block.Option {
	return block.Option{Parse: func(d *caddyfile.Dispenser) error {
		if err := block.NoArgs(d, "breaker"); err != nil {
			return err
		}
		*into = new(BreakerConfig)
		return (*into).Options().Parse(d, "breaker", nil)
	}}
}

// Options are the lines of the breaker block.
func (b *BreakerConfig) Options() block.Options {
	check := func() error { return b.Settings().Check() }
	return block.Options{
		"consecutive": {Parse: b.parseConsecutive},
		"ratio":       block.Option{Parse: b.parseRatio}.Then(check),
		"slow":        block.Option{Parse: b.parseSlow}.Then(check),
		"open":        block.Option{Parse: b.parseOpen}.Then(check),
		"probes":      block.Number(&b.Probes, 1),
	}
}

// off reports whether the only argument of a rule is "off".
func off(args []string) bool { return len(args) == 1 && args[0] == "off" }

func (b *BreakerConfig) parseConsecutive(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if off(args) {
		b.Consecutive = -1
		return block.NoBlock(d, "consecutive")
	}
	if len(args) != 1 {
		return d.Errf("wrong syntax, want: consecutive <n>|off")
	}
	if err := block.ParseNumber(d, "consecutive", args[0], 1, &b.Consecutive); err != nil {
		return err
	}
	return block.NoBlock(d, "consecutive")
}

func (b *BreakerConfig) parseRatio(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if off(args) {
		b.Ratio = -1
		return block.NoBlock(d, "ratio")
	}
	if len(args) != 5 || args[1] != "of" || args[3] != "in" {
		return d.Errf("wrong syntax, want: ratio <percent> of <n> in <duration>|off")
	}
	if err := block.ParsePercent(d, "ratio", args[0], &b.Ratio); err != nil {
		return err
	}
	if err := block.ParseNumber(d, "ratio", args[2], 1, &b.RatioCalls); err != nil {
		return err
	}
	if err := block.ParseDuration(d, "ratio", args[4], &b.RatioWindow); err != nil {
		return err
	}
	return block.NoBlock(d, "ratio")
}

func (b *BreakerConfig) parseSlow(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 2, 2, "slow <duration> <percent>")
	if err != nil {
		return err
	}
	if err := block.ParseDuration(d, "slow", args[0], &b.Slow); err != nil {
		return err
	}
	if err := block.ParsePercent(d, "slow", args[1], &b.SlowRatio); err != nil {
		return err
	}
	return block.NoBlock(d, "slow")
}

func (b *BreakerConfig) parseOpen(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 1, 2, "open <duration> [<max>]")
	if err != nil {
		return err
	}
	if err := block.ParseDuration(d, "open", args[0], &b.Open); err != nil {
		return err
	}
	if len(args) == 2 {
		if err := block.ParseDuration(d, "open", args[1], &b.MaxOpen); err != nil {
			return err
		}
	}
	return block.NoBlock(d, "open")
}
