package caddymodule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// option is a line of a block: how to parse it, and whether a block may hold
// more than one of it.
type option struct {
	parse func(d *caddyfile.Dispenser) error
	many  bool
}

// options are the lines a block may hold, by their first word.
type options map[string]option

// parseBlock parses the block d stands before. What a block does not know, and
// what it holds twice, is an error that says so; unless other takes it.
func (o options) parseBlock(d *caddyfile.Dispenser, block string, other func(d *caddyfile.Dispenser) error) error {
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		word := d.Val()
		opt, known := o[word]
		switch {
		case !known && other != nil:
			if err := other(d); err != nil {
				return err
			}
			continue
		case !known:
			return d.Errf("unrecognized %s option %q", block, word)
		case seen[word] && !opt.many:
			return d.Errf("%s option %q is given twice", block, word)
		}
		seen[word] = true
		if err := opt.parse(d); err != nil {
			return err
		}
	}
	return nil
}

// then checks what the option has set while the line it stands on is known.
func (o option) then(check func() error) option {
	parse := o.parse
	o.parse = func(d *caddyfile.Dispenser) error {
		if err := parse(d); err != nil {
			return err
		}
		return located(d, check())
	}
	return o
}

// noArgs refuses an argument, and says after what it should have ended.
func noArgs(d *caddyfile.Dispenser, after string) error {
	if d.NextArg() {
		return d.Errf("unexpected argument %q after %s", d.Val(), after)
	}
	return nil
}

// noBlock refuses a block behind an option that has none: its lines would be
// taken for options of the block around it.
func noBlock(d *caddyfile.Dispenser, option string) error {
	at := *d
	if d.NextBlock(d.Nesting()) {
		return at.Errf("%s takes no block", option)
	}
	return nil
}

// flag parses an option that is its own value.
func flag(into *bool) option {
	return option{parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		*into = true
		if err := noArgs(d, option); err != nil {
			return err
		}
		return noBlock(d, option)
	}}
}

// text parses an option with exactly one argument.
func text(into *string) option {
	return option{parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		if !d.AllArgs(into) {
			return d.Errf("%s takes exactly one argument", option)
		}
		if *into == "" {
			return d.Errf("%s: argument is empty", option)
		}
		return noBlock(d, option)
	}}
}

// texts parses an option with one argument or more.
func texts(into *[]string) option {
	return option{parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		*into = d.RemainingArgs()
		if len(*into) == 0 {
			return d.Errf("%s takes at least one argument", option)
		}
		if slices.Contains(*into, "") {
			return d.Errf("%s: argument is empty", option)
		}
		return noBlock(d, option)
	}}
}

// duration parses an option with one duration above 0.
func duration(into *caddy.Duration) option {
	return option{parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		var arg string
		if !d.AllArgs(&arg) {
			return d.Errf("%s takes exactly one duration", option)
		}
		if err := parseDuration(d, option, arg, into); err != nil {
			return err
		}
		return noBlock(d, option)
	}}
}

func parseDuration(d *caddyfile.Dispenser, option, arg string, into *caddy.Duration) error {
	v, err := caddy.ParseDuration(arg)
	if err != nil {
		return d.Errf("%s: %q is no duration (such as 500ms, 3s, 1m)", option, arg)
	}
	if v <= 0 {
		return d.Errf("%s: %s is not above 0", option, arg)
	}
	*into = caddy.Duration(v)
	return nil
}

// wholeNumber parses an option with one whole number of at least low.
func wholeNumber(into *int, low int) option {
	return option{parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		var arg string
		if !d.AllArgs(&arg) {
			return d.Errf("%s takes exactly one number", option)
		}
		if err := parseNumber(d, option, arg, low, into); err != nil {
			return err
		}
		return noBlock(d, option)
	}}
}

func parseNumber(d *caddyfile.Dispenser, option, arg string, low int, into *int) error {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return d.Errf("%s: %q is no whole number", option, arg)
	}
	if n < low {
		return d.Errf("%s: %d is below %d", option, n, low)
	}
	*into = n
	return nil
}

// parsePercent reads "50%" or "50".
func parsePercent(d *caddyfile.Dispenser, option, arg string, into *float64) error {
	f, err := strconv.ParseFloat(strings.TrimSuffix(arg, "%"), 64)
	if err != nil || !(f > 0 && f <= 100) {
		return d.Errf("%s: %q is no percentage above 0 and up to 100", option, arg)
	}
	*into = f
	return nil
}

// located adds the file and the line d stands on to an error, if there is one.
func located(d *caddyfile.Dispenser, err error) error {
	if err == nil {
		return nil
	}
	return d.WrapErr(err)
}
