package caddymodule_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// TestOptions holds every option of every block to the same rules.
func TestOptions(t *testing.T) {
	for name, options := range caddymodule.Blocks() {
		for option := range lines[name] {
			if _, ok := options[option]; !ok {
				t.Errorf("%s has no option %s", name, option)
			}
		}
		for option, o := range options {
			l, ok := lines[name][option]
			if !ok {
				t.Errorf("%s option %s has no line in the table", name, option)
				continue
			}
			t.Run(name+"/"+option, func(t *testing.T) {
				c := &optionTest{T: t, place: places[name], line: l, option: option}
				for args := range strings.SplitSeq(l.args, "|") {
					c.adapts(args)
					c.isRefusedTwice(args, o)
					c.isRefusedWithBlock(args)
					c.isRefusedWithMore(args)
					c.isRefusedWith(args)
				}
				c.isRefusedBare()
			})
		}
	}
}

// A word that is not an option is refused in every block.
func TestOptionsUnknown(t *testing.T) {
	for name, p := range places {
		t.Run(name, func(t *testing.T) {
			c := &optionTest{T: t, place: p, option: "timeuot"}
			c.refused("timeuot 1s\n", 0, `unrecognized `+p.name+` option "timeuot"( \(did you mean timeout\?\))?`)
		})
	}
}

// optionTest checks one option.
type optionTest struct {
	*testing.T
	place
	line
	option string
}

// site is a site with the given lines of the block, and the number of the first.
func (p place) site(option, lines string) (text string, first int) {
	needs := regexp.MustCompile(`(?m)^`+option+` .*\n`).ReplaceAllString(p.needs, "")
	before := ":8080 {\nchatkit {\n" + p.open + needs
	ends := strings.Count(p.open, "{\n") - strings.Count(p.open, "\n}\n") + 2
	return before + lines + strings.Repeat("}\n", ends), strings.Count(before, "\n") + 1
}

// whole is the option's line, with its block if it has one.
func (l line) whole(option, args string) string {
	text := strings.TrimSpace(option + " " + strings.TrimSuffix(args, "..."))
	if l.inside != "" {
		text += " {\n" + l.inside + "\n}"
	}
	return text + "\n"
}

// refused checks that lines are refused because of the one with the given index.
// want is a regular expression.
func (c *optionTest) refused(lines string, index int, want string) {
	c.Helper()
	text, first := c.site(c.option, lines)
	_, _, err := adapt(text)
	if err == nil {
		c.Errorf("adapts:\n%s", text)
		return
	}
	want = fmt.Sprintf(`^parsing caddyfile tokens for 'chatkit': (%s), at Caddyfile:%d$`, want, first+index)
	if !regexp.MustCompile(want).MatchString(err.Error()) {
		c.Errorf("got\n%s\nwant\n%s\nfor\n%s", err, want, lines)
	}
}

// adapts checks that the option's line is accepted.
func (c *optionTest) adapts(args string) {
	c.Helper()
	text, _ := c.site(c.option, c.whole(c.option, args))
	if _, _, err := adapt(text); err != nil {
		c.Errorf("%v:\n%s", err, text)
	}
}

// isRefusedTwice gives the same line twice.
func (c *optionTest) isRefusedTwice(args string, o block.Option) {
	c.Helper()
	if o.Many != (c.twice != "") {
		c.Errorf("the option may be given more than once: %t, the table says %q", o.Many, c.twice)
	}
	want := fmt.Sprintf("%s option %q is given twice", c.name, c.option)
	if o.Many {
		want = "(" + c.twice + ").*"
	}
	once := c.whole(c.option, args)
	c.refused(once+once, strings.Count(once, "\n"), want)
}

// isRefusedWithBlock puts a block behind an option that has none. Its lines would
// be read as the option's neighbors.
func (c *optionTest) isRefusedWithBlock(args string) {
	c.Helper()
	if c.inside == "" {
		l := line{inside: "probes 1"}
		c.refused(l.whole(c.option, args), 0, c.option+" takes no block")
	}
}

// arity is what may be said about a wrong number of arguments.
const arity = `(wrong syntax, want: %[1]s .*|%[1]s takes (exactly|at least) one \w+|unexpected argument "stray" after %[1]s( off| \(want .*\))?)`

// isRefusedWithMore adds an argument.
func (c *optionTest) isRefusedWithMore(args string) {
	c.Helper()
	// Another way to write the line may have one argument more.
	longer := func(other string) bool {
		return args != "off" && len(strings.Fields(other)) > len(strings.Fields(args))
	}
	if !strings.HasSuffix(args, "...") && !slices.ContainsFunc(strings.Split(c.args, "|"), longer) {
		c.refused(c.whole(c.option, args+" stray"), 0, fmt.Sprintf(arity, c.option))
	}
}

// isRefusedBare leaves all arguments out.
func (c *optionTest) isRefusedBare() {
	c.Helper()
	if c.args != "" && !strings.HasPrefix(c.args, "|") {
		c.refused(c.option+"\n", 0, fmt.Sprintf(arity, c.option))
	}
}

// isRefusedWith puts wrong values in the place of every argument.
func (c *optionTest) isRefusedWith(args string) {
	c.Helper()
	words := strings.Fields(strings.TrimSuffix(args, "..."))
	for i, word := range words {
		wrong := c.wrong(word)
		for _, value := range slices.Sorted(maps.Keys(wrong)) {
			changed := slices.Clone(words)
			changed[i] = value
			c.refused(c.whole(c.option, strings.Join(changed, " ")), 0, wrong[value])
		}
	}
}

// wrong has values that cannot stand where arg does, with what is said of each.
func (c *optionTest) wrong(arg string) map[string]string {
	field := c.option + `( \w+)?: `
	if _, err := strconv.Atoi(arg); err == nil {
		low := max(c.low, 1)
		if c.zero {
			low = 0
		}
		return map[string]string{
			"few":                 field + `invalid number "few" \(want a whole number\)`,
			"1.5":                 field + `invalid number "1\.5" \(want a whole number\)`,
			strconv.Itoa(low - 1): field + fmt.Sprintf(`%d is too low \(minimum %d\)`, low-1, low),
		}
	}
	if _, err := caddy.ParseDuration(arg); err == nil {
		return map[string]string{
			"soon": field + `invalid duration "soon" \(want 500ms, 3s, 1m\)`,
			"5":    field + `invalid duration "5" \(want 500ms, 3s, 1m\)`,
			"0":    field + `invalid duration "0" \(want above 0\)`,
			"-1s":  field + `invalid duration "-1s" \(want above 0\)`,
		}
	}
	if strings.HasSuffix(arg, "%") {
		wrong := make(map[string]string)
		for _, value := range []string{"most", "0%", "101%", "NaN", "-1%"} {
			wrong[value] = field + `invalid percentage "` + value + `" \(want above 0% and up to 100%\)`
		}
		return wrong
	}
	empty := `(%[1]s|backend): argument is empty|.*\b%[1]s\b.* "".*|wrong syntax, want: %[1]s .*`
	return map[string]string{`""`: fmt.Sprintf(empty, c.option)}
}
