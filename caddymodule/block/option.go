package block

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// Option is one line of a block.
type Option struct {
	// Parse parses the line. The dispenser stands on its first word.
	Parse func(d *caddyfile.Dispenser) error

	// Many allows the line more than once.
	Many bool
}

// Options are the lines a block may hold, by their first word.
type Options map[string]Option

// Parse parses the block that follows d. An unknown line goes to other, or is an
// error where other is nil. So is a line that the block holds twice.
func (o Options) Parse(d *caddyfile.Dispenser, block string, other func(d *caddyfile.Dispenser) error) error {
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
			return Unrecognized(d, block, o.Words())
		case seen[word] && !opt.Many:
			return d.Errf("%s option %q is given twice", block, word)
		}
		seen[word] = true
		if err := opt.Parse(d); err != nil {
			return err
		}
	}
	return nil
}

// Words are the first words of the lines.
func (o Options) Words() []string { return slices.Collect(maps.Keys(o)) }

// Unrecognized is the error for a line whose first word, which d stands on, is none
// of those known.
func Unrecognized(d *caddyfile.Dispenser, block string, known []string) error {
	return d.Errf("unrecognized %s option %q%s", block, d.Val(), DidYouMean(d.Val(), known))
}

// Then adds a check of what the option has set, so that its error names the line.
func (o Option) Then(check func() error) Option {
	parse := o.Parse
	o.Parse = func(d *caddyfile.Dispenser) error {
		if err := parse(d); err != nil {
			return err
		}
		return Located(d, check())
	}
	return o
}

// Args returns the arguments of a line that takes low to high of them, none of
// them empty. syntax is the line as it should be.
func Args(d *caddyfile.Dispenser, low, high int, syntax string) ([]string, error) {
	option := d.Val()
	args := d.RemainingArgs()
	if len(args) < low || len(args) > high {
		return nil, d.Errf("wrong syntax, want: %s", syntax)
	}
	if slices.Contains(args, "") {
		return nil, d.Errf("%s: argument is empty", option)
	}
	return args, nil
}

// NoArgs returns an error if an argument follows. after is what should have been
// the end of the line.
func NoArgs(d *caddyfile.Dispenser, after string) error {
	if d.NextArg() {
		return d.Errf("unexpected argument %q after %s", d.Val(), after)
	}
	return nil
}

// NoBlock returns an error if a block follows an option that has none. Its lines
// would otherwise be read as options of the surrounding block.
func NoBlock(d *caddyfile.Dispenser, option string) error {
	at := *d
	if d.NextBlock(d.Nesting()) {
		return at.Errf("%s takes no block", option)
	}
	return nil
}

// Flag is an option without arguments.
func Flag(into *bool) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		*into = true
		if err := NoArgs(d, option); err != nil {
			return err
		}
		return NoBlock(d, option)
	}}
}

// Switch is an option whose argument is on or off.
func Switch(into *bool) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		args, err := Args(d, 1, 1, option+" on|off")
		if err != nil {
			return err
		}
		if args[0] != "on" && args[0] != "off" {
			return d.Errf("invalid %s %q (want on or off)", option, args[0])
		}
		*into = args[0] == "on"
		return NoBlock(d, option)
	}}
}

// Text is an option with exactly one argument.
func Text(into *string) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		if !d.AllArgs(into) {
			return d.Errf("%s takes exactly one argument", option)
		}
		if *into == "" {
			return d.Errf("%s: argument is empty", option)
		}
		return NoBlock(d, option)
	}}
}

// Texts is an option with one argument or more.
func Texts(into *[]string) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		*into = d.RemainingArgs()
		if len(*into) == 0 {
			return d.Errf("%s takes at least one argument", option)
		}
		if slices.Contains(*into, "") {
			return d.Errf("%s: argument is empty", option)
		}
		return NoBlock(d, option)
	}}
}

// Duration is an option with one duration above 0.
func Duration(into *caddy.Duration) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		var arg string
		if !d.AllArgs(&arg) {
			return d.Errf("%s takes exactly one duration", option)
		}
		if err := ParseDuration(d, option, arg, into); err != nil {
			return err
		}
		return NoBlock(d, option)
	}}
}

// Number is an option with one whole number of at least low.
func Number(into *int, low int) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		var arg string
		if !d.AllArgs(&arg) {
			return d.Errf("%s takes exactly one number", option)
		}
		if err := ParseNumber(d, option, arg, low, into); err != nil {
			return err
		}
		return NoBlock(d, option)
	}}
}

// Size is an option with one size above 0, such as 1MiB, in bytes. most is the largest.
func Size(into *int64, most string) Option {
	return Option{Parse: func(d *caddyfile.Dispenser) error {
		option := d.Val()
		var arg string
		if !d.AllArgs(&arg) {
			return d.Errf("wrong syntax, want: %s <size>", option)
		}
		limit, _ := humanize.ParseBytes(most) // a constant
		size, err := humanize.ParseBytes(arg)
		if err != nil || size == 0 || size > limit {
			return d.Errf("invalid %s %q (want 64KiB, 1MiB, up to %s)", option, arg, most)
		}
		*into = int64(size) //nolint:gosec // at most what most says
		return NoBlock(d, option)
	}}
}

// ParseDuration parses an argument that is a duration above 0.
func ParseDuration(d *caddyfile.Dispenser, option, arg string, into *caddy.Duration) error {
	v, err := caddy.ParseDuration(arg)
	if err != nil {
		return d.Errf("%s: invalid duration %q (want 500ms, 3s, 1m)", option, arg)
	}
	if v <= 0 {
		return d.Errf("%s: invalid duration %q (want above 0)", option, arg)
	}
	*into = caddy.Duration(v)
	return nil
}

// ParseNumber parses an argument that is a whole number of at least low.
func ParseNumber(d *caddyfile.Dispenser, option, arg string, low int, into *int) error {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return d.Errf("%s: invalid number %q (want a whole number)", option, arg)
	}
	if n < low {
		return d.Errf("%s: %d is too low (minimum %d)", option, n, low)
	}
	*into = n
	return nil
}

// ParsePercent parses an argument that is a percentage, "50%" or "50".
func ParsePercent(d *caddyfile.Dispenser, option, arg string, into *float64) error {
	f, err := strconv.ParseFloat(strings.TrimSuffix(arg, "%"), 64)
	if err != nil || !(f > 0 && f <= 100) {
		return d.Errf("%s: invalid percentage %q (want above 0%% and up to 100%%)", option, arg)
	}
	*into = f
	return nil
}

// Located adds the file and line of d to an error.
func Located(d *caddyfile.Dispenser, err error) error {
	if err == nil {
		return nil
	}
	return d.WrapErr(err)
}
