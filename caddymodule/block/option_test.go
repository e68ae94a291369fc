package block_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// values are what the options of a block set.
type values struct {
	flag     bool
	text     string
	texts    []string
	duration caddy.Duration
	number   int
	percent  float64
	args     []string
}

func (v *values) options() block.Options {
	return block.Options{
		"flag":     block.Flag(&v.flag),
		"text":     block.Text(&v.text),
		"texts":    block.Texts(&v.texts),
		"duration": block.Duration(&v.duration),
		"number":   block.Number(&v.number, 3),
		"percent": {Many: true, Parse: func(d *caddyfile.Dispenser) error {
			d.NextArg()
			return block.ParsePercent(d, "percent", d.Val(), &v.percent)
		}},
		"args": {Parse: func(d *caddyfile.Dispenser) (err error) {
			v.args, err = block.Args(d, 0, 2, "args [<a> [<b>]]")
			return err
		}},
		"even": block.Number(&v.number, 0).Then(func() error {
			if v.number%2 != 0 {
				return fmt.Errorf("even: %d is odd", v.number)
			}
			return nil
		}),
	}
}

// parse parses lines as the block "test".
func (v *values) parse(lines string, other func(d *caddyfile.Dispenser) error) error {
	d := caddyfile.NewTestDispenser("test {\n" + lines + "\n}")
	d.Next()
	return v.options().Parse(d, "test", other)
}

func TestOptions(t *testing.T) {
	var v values
	err := v.parse("flag\ntext a\ntexts b c\nduration 1d\nnumber 3\npercent 10%\npercent 12.5\nargs x", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, want := fmt.Sprint(v), fmt.Sprint(values{true, "a", []string{"b", "c"}, caddy.Duration(24 * time.Hour), 3, 12.5, []string{"x"}})
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOptionsRefuse(t *testing.T) {
	for lines, want := range map[string]string{
		"flag\nflag":             `test option "flag" is given twice:3`,
		"flag\nflags":            `unrecognized test option "flags" (did you mean flag?):3`,
		"flag on":                `unexpected argument "on" after flag:2`,
		"flag {\ntext a\n}":      `flag takes no block:2`,
		"text":                   `text takes exactly one argument:2`,
		"text a b":               `text takes exactly one argument:2`,
		`text ""`:                `text: argument is empty:2`,
		"text a {\nflag\n}":      `text takes no block:2`,
		"texts":                  `texts takes at least one argument:2`,
		`texts a ""`:             `texts: argument is empty:2`,
		"texts a {\nflag\n}":     `texts takes no block:2`,
		"duration":               `duration takes exactly one duration:2`,
		"duration 1s 2s":         `duration takes exactly one duration:2`,
		"duration 5":             `duration: invalid duration "5" (want 500ms, 3s, 1m):2`,
		"duration 0s":            `duration: invalid duration "0s" (want above 0):2`,
		"duration -1s":           `duration: invalid duration "-1s" (want above 0):2`,
		"duration 1s {\nflag\n}": `duration takes no block:2`,
		"number":                 `number takes exactly one number:2`,
		"number 3 4":             `number takes exactly one number:2`,
		"number 3.5":             `number: invalid number "3.5" (want a whole number):2`,
		"number 2":               `number: 2 is too low (minimum 3):2`,
		"number 3 {\nflag\n}":    `number takes no block:2`,
		"percent 0%":             `percent: invalid percentage "0%" (want above 0% and up to 100%):2`,
		"percent 100.1%":         `percent: invalid percentage "100.1%" (want above 0% and up to 100%):2`,
		"percent NaN":            `percent: invalid percentage "NaN" (want above 0% and up to 100%):2`,
		"percent half":           `percent: invalid percentage "half" (want above 0% and up to 100%):2`,
		"args a b c":             `wrong syntax, want: args [<a> [<b>]]:2`,
		`args a ""`:              `args: argument is empty:2`,
		"flag\neven 3":           `even: 3 is odd:3`,
		"even odd":               `even: invalid number "odd" (want a whole number):2`,
	} {
		err := new(values).parse(lines, nil)
		if got := strings.Replace(fmt.Sprint(err), ", at Testfile:", ":", 1); got != want {
			t.Errorf("%q: got %q, want %q", lines, got, want)
		}
	}
}

// Lines that the table does not have go to other, as often as they come.
func TestOptionsOther(t *testing.T) {
	var words []string
	collect := func(d *caddyfile.Dispenser) error {
		words = append(words, d.Val())
		if d.Val() == "bad" {
			return errors.New("refused")
		}
		d.NextSegment()
		return nil
	}
	if err := new(values).parse("own a {\n flag\n}\nflag\nown b", collect); err != nil {
		t.Fatal(err)
	}
	if want := []string{"own", "own"}; !slices.Equal(words, want) {
		t.Errorf("got %q, want %q", words, want)
	}
	if err := new(values).parse("bad", collect); err == nil || err.Error() != "refused" {
		t.Errorf("got %v", err)
	}
}
