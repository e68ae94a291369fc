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

// line is how an option is written.
type line struct {
	// args are its arguments, "|" between the ways to write them. The checks tell
	// a duration, a number or a percentage by its looks. "..." means that more
	// arguments may follow.
	args string

	// inside is a line of its block, if it has one.
	inside string

	// low is the lowest number it takes, if that is not 1.
	low string

	// twice is what is wrong with the same line twice, for an option that may be
	// given more than once.
	twice string
}

// lines has every option of every block.
var lines = map[string]map[string]line{
	"chatkit": {
		"provider":    {args: "backend http://b", inside: "timeout 1s", twice: `provider name "backend" is given twice`},
		"user":        {args: "{http.auth.user.id} ..."},
		"anonymous":   {args: "|visitor"},
		"session":     {args: "/s|off|/s backend ...", twice: "path /s is claimed twice|session off is given twice"},
		"refresh":     {args: "/r|off|/r backend ...", twice: "path /r is claimed twice|refresh off is given twice"},
		"stream":      {args: "/c|off|/c /up", twice: "path /c is claimed twice|stream off is given twice"},
		"message":     {args: "/c|off|/c /up", twice: "path /c is claimed twice|message off is given twice"},
		"websocket":   {args: "/c|off|/c /up", twice: "path /c is claimed twice|websocket off is given twice"},
		"chatkit":     {args: "/c|off|/c /up", twice: "path /c is claimed twice|chatkit off is given twice"},
		"failover":    {args: "any"},
		"buffer":      {args: "1MiB"},
		"first_byte":  {args: "1s"},
		"stream_idle": {args: "1s"},
		"drain":       {args: "1s"},
		"openai_api":  {args: "/v1 backend ...", inside: "key k"},
		"deadline":    {args: "1s"},
		"rate_limit":  {args: "user 10 1m|ip 10 1m", twice: "rate_limit (user|ip) is given twice"},
		"models":      {args: "strict"},
		"cors":        {inside: "max_age 1m"},
	},
	"openai_api": {
		"key": {args: "k"},
	},
	"provider": {
		"name":        {args: "eu"},
		"timeout":     {args: "1s"},
		"retries":     {args: "1|2 1s", low: "0"},
		"fallback_on": {args: "5xx ..."},
		"max_rate":    {args: "10 1m"},
		"model":       {args: "m ..."},
		"breaker":     {inside: "probes 1"},
	},
	"breaker": {
		"consecutive": {args: "3|off"},
		"ratio":       {args: "50% of 20 in 10s|off"},
		"slow":        {args: "1s 50%"},
		"open":        {args: "1s|1s 2s"},
		"probes":      {args: "1"},
	},
	"cors": {
		"origins": {args: "https://a ..."},
		"headers": {args: "X-A ..."},
		"expose":  {args: "X-A ..."},
		"max_age": {args: "1m"},
	},
	"backend": {
		"url":             {args: "http://b"},
		"key":             {args: "k"},
		"session_path":    {args: "/s"},
		"user_in":         {args: "both"},
		"ignore_expiry":   {},
		"forward_headers": {args: "X-A ..."},
		"transport":       {args: "http ...", inside: "dial_timeout 1s"},
	},
	"openai": {
		"key":             {args: "k"},
		"workflow":        {args: "wf ...", twice: "workflow without a model is given twice"},
		"state_variables": {args: "metadata"},
		"version":         {args: "3"},
		"base_url":        {args: "http://b"},
		"organization":    {args: "o"},
		"project":         {args: "p"},
		"expires_after":   {args: "1m"},
		"rate_limit":      {args: "10"},
		"file_upload":     {},
		"transport":       {args: "http ...", inside: "dial_timeout 1s"},
	},
	"sendbird": {
		"app_id":       {args: "a"},
		"api_token":    {args: "t"},
		"ttl":          {args: "1m"},
		"create_users": {},
		"host":         {args: "h"},
		"transport":    {args: "http ...", inside: "dial_timeout 1s"},
	},
}

// place is where the lines of a block stand.
type place struct {
	open  string // what opens the block, within the one of chatkit
	needs string // the lines without which the block is refused
	name  string // what messages call the block
}

var places = map[string]place{
	"chatkit":    {needs: "provider backend http://b\n", name: "chatkit"},
	"openai_api": {open: "provider backend http://b\nopenai_api /v1 {\n", needs: "key k\n", name: "openai_api"},
	"provider":   {open: "provider backend http://b {\n", name: "backend"},
	"breaker":    {open: "provider backend http://b {\nbreaker {\n", name: "breaker"},
	"cors":       {open: "provider backend http://b\ncors {\n", name: "cors"},
	"backend":    {open: "provider backend {\n", needs: "url http://b\n", name: "backend"},
	"openai":     {open: "provider openai {\n", needs: "key k\nworkflow wf\n", name: "openai"},
	"sendbird":   {open: "provider sendbird {\n", needs: "app_id a\napi_token t\n", name: "sendbird"},
}

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
				for _, args := range strings.Split(l.args, "|") {
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
			c.refused("timeuot 1s\n", 0, `unrecognized `+p.name+` option "timeuot"`)
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
	return before + lines + strings.Repeat("}\n", strings.Count(p.open, "{\n")+2), strings.Count(before, "\n") + 1
}

// whole is the option's line with its block.
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

func (c *optionTest) adapts(args string) {
	c.Helper()
	text, _ := c.site(c.option, c.whole(c.option, args))
	if _, _, err := adapt(text); err != nil {
		c.Errorf("%v:\n%s", err, text)
	}
}

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

// isRefusedWithBlock: the lines of the block would be read as the option's
// neighbors.
func (c *optionTest) isRefusedWithBlock(args string) {
	c.Helper()
	if c.inside == "" {
		l := line{inside: "probes 1"}
		c.refused(l.whole(c.option, args), 0, c.option+" takes no block")
	}
}

// arity is what may be said about a wrong number of arguments.
const arity = `(wrong syntax, want: %[1]s .*|%[1]s takes (exactly|at least) one \w+|unexpected argument "stray" after %[1]s( off)?)`

func (c *optionTest) isRefusedWithMore(args string) {
	c.Helper()
	longer := func(other string) bool {
		return args != "off" && len(strings.Fields(other)) > len(strings.Fields(args))
	}
	if !strings.HasSuffix(args, "...") && !slices.ContainsFunc(strings.Split(c.args, "|"), longer) {
		c.refused(c.whole(c.option, args+" stray"), 0, fmt.Sprintf(arity, c.option))
	}
}

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
	if _, err := strconv.Atoi(arg); err == nil && c.option != "version" {
		low, _ := strconv.Atoi("0" + c.low)
		if c.low == "" {
			low = 1
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
	return map[string]string{`""`: `(` + c.option + `|backend): argument is empty|.*\b` + c.option + `\b.* "".*|wrong syntax, want: ` + c.option + ` .*`}
}
