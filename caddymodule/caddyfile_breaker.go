package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// parseBreaker parses the breaker block. Syntax:
//
//	breaker {
//		consecutive <n>|off
//		ratio       <percent> of <n> in <duration>|off
//		slow        <duration> <percent>
//		open        <duration> [<max>]
//		probes      <n>
//	}
func (c *ProviderConfig) parseBreaker(d *caddyfile.Dispenser) error {
	if err := noArgs(d, "breaker"); err != nil {
		return err
	}
	c.Breaker = new(BreakerConfig)
	return c.Breaker.options().parseBlock(d, "breaker", nil)
}

// options are the lines of the breaker block.
func (b *BreakerConfig) options() options {
	check := func() error { return b.settings().Check() }
	return options{
		"consecutive": {parse: b.parseConsecutive},
		"ratio":       option{parse: b.parseRatio}.then(check),
		"slow":        option{parse: b.parseSlow}.then(check),
		"open":        option{parse: b.parseOpen}.then(check),
		"probes":      wholeNumber(&b.Probes, 1),
	}
}

// off tells whether the only argument of a rule is "off".
func off(args []string) bool { return len(args) == 1 && args[0] == "off" }

func (b *BreakerConfig) parseConsecutive(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if off(args) {
		b.Consecutive = -1
		return noBlock(d, "consecutive")
	}
	if len(args) != 1 {
		return d.Errf("consecutive takes a number, or off")
	}
	if err := parseNumber(d, "consecutive", args[0], 1, &b.Consecutive); err != nil {
		return err
	}
	return noBlock(d, "consecutive")
}

func (b *BreakerConfig) parseRatio(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if off(args) {
		b.Ratio = -1
		return noBlock(d, "ratio")
	}
	if len(args) != 5 || args[1] != "of" || args[3] != "in" {
		return d.Errf("ratio reads: ratio <percent> of <n> in <duration>, or off")
	}
	if err := parsePercent(d, "ratio", args[0], &b.Ratio); err != nil {
		return err
	}
	if err := parseNumber(d, "ratio", args[2], 1, &b.RatioCalls); err != nil {
		return err
	}
	if err := parseDuration(d, "ratio", args[4], &b.RatioWindow); err != nil {
		return err
	}
	return noBlock(d, "ratio")
}

func (b *BreakerConfig) parseSlow(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Errf("slow reads: slow <duration> <percent>")
	}
	if err := parseDuration(d, "slow", args[0], &b.Slow); err != nil {
		return err
	}
	if err := parsePercent(d, "slow", args[1], &b.SlowRatio); err != nil {
		return err
	}
	return noBlock(d, "slow")
}

func (b *BreakerConfig) parseOpen(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return d.Errf("open reads: open <duration> [<max>]")
	}
	if err := parseDuration(d, "open", args[0], &b.Open); err != nil {
		return err
	}
	if len(args) == 2 {
		if err := parseDuration(d, "open", args[1], &b.MaxOpen); err != nil {
			return err
		}
	}
	return noBlock(d, "open")
}
