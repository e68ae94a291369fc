package caddymodule_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Where the pages that have to agree with the code are.
const (
	readmePage    = "README.md"
	caddyfilePage = "docs/reference/caddyfile.md"
	httpAPIPage   = "docs/reference/http-api.md"
)

// fenced are the blocks of a page in a language.
func fenced(t *testing.T, page, language string) (blocks []string) {
	t.Helper()
	for _, s := range shipped.Snippets(t, page, language) {
		blocks = append(blocks, s.Text)
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no %s block", page, language)
	}
	return blocks
}

// setEnv gives every {env.X} of a text a value.
func setEnv(t *testing.T, text string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\{env\.([A-Z_]+)\}`).FindAllStringSubmatch(text, -1) {
		value := "value"
		if strings.HasSuffix(m[1], "_URL") {
			value = "https://api.example.com"
		}
		switch m[1] {
		case "REDIS_URL":
			value = "redis://127.0.0.1:1"
		case "FLEET_KEY", "CHATKIT_DRILL_TOKEN":
			value = longKey
		}
		t.Setenv(m[1], value)
	}
}

// The README is read before anything else: what is longer is a page of docs.
func TestReadmeSize(t *testing.T) {
	const limit = 7000
	if n := len(shipped.ReadPage(t, readmePage)); n > limit {
		t.Errorf("README has %d bytes, want at most %d: move something to docs", n, limit)
	}
}

// The README names the two commands that show and test the product.
func TestReadmeCommands(t *testing.T) {
	for _, command := range []string{"go run ./cmd/caddy chatkit-demo", "go test ./..."} {
		if !strings.Contains(shipped.ReadPage(t, readmePage), command) {
			t.Errorf("README lacks %s", command)
		}
	}
}

// Every Caddyfile of the README, the reference and Sendbird's guide loads as it
// stands, without a warning.
func TestReadmeCaddyfiles(t *testing.T) {
	for _, page := range []string{readmePage, caddyfilePage, "docs/guides/sendbird.md"} {
		for _, text := range fenced(t, page, "caddyfile") {
			setEnv(t, text)
			config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": page})
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%s: %v %v in:\n%s", page, err, warnings, text)
			}
			var c *caddy.Config
			if err := json.Unmarshal(config, &c); err != nil {
				t.Fatal(err)
			}
			if err := caddy.Validate(c); err != nil {
				t.Errorf("%s: %v in:\n%s", page, err, text)
			}
		}
	}
}

// The JSON of the reference loads.
func TestReferenceJSON(t *testing.T) {
	for _, text := range fenced(t, caddyfilePage, "json") {
		setEnv(t, text)
		config := `{"apps": {"http": {"servers": {"s": {"listen": ["127.0.0.1:0"], "routes": [{"handle": [` + text + `]}]}}}}}`
		var c *caddy.Config
		if err := json.Unmarshal([]byte(config), &c); err != nil {
			t.Fatal(err)
		}
		if err := caddy.Validate(c); err != nil {
			t.Errorf("%v in:\n%s", err, text)
		}
	}
}

// The option table and the code name the same options.
func TestOptionTable(t *testing.T) {
	documented := make(map[string][]string)
	for _, m := range regexp.MustCompile("(?m)^\\| (chatkit|anonymous|openai_api|shared|turn|provider|breaker|backend|openai|sendbird|cors|standin|say|openai_chat|openai_responses) \\| `([a-z_]+)").FindAllStringSubmatch(shipped.ReadPage(t, caddyfilePage), -1) {
		documented[m[1]] = append(documented[m[1]], m[2])
	}
	for block, table := range caddymodule.Blocks() {
		slices.Sort(documented[block])
		options := slices.Sorted(maps.Keys(table))
		if got := documented[block]; !slices.Equal(got, options) {
			t.Errorf("%s: the table of %s has %v, the code %v", block, caddyfilePage, got, options)
		}
	}
}

// The table of reasons has all reasons of the code.
func TestReasonTable(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	_, table, ok := strings.Cut(shipped.ReadPage(t, httpAPIPage), "\n## Reasons\n")
	if !ok {
		t.Fatalf("%s has no reasons", httpAPIPage)
	}
	table, _, _ = strings.Cut(table, "\n## ")
	series := s.Get(s.Admin + "/metrics")
	found := regexp.MustCompile(`attempts_total\{provider="backend",result="([a-z0-9_]+)"\}`).FindAllStringSubmatch(series, -1)
	if len(found) < 10 {
		t.Fatalf("only %d results are exposed", len(found))
	}
	for _, m := range found {
		if m[1] != "ok" && !strings.Contains(table, "`"+m[1]+"`") {
			t.Errorf("%s lacks reason %s", httpAPIPage, m[1])
		}
	}
}
