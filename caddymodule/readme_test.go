package caddymodule_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// readme is the text that has to agree with the code.
func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fenced are the blocks of the README in a language.
func fenced(t *testing.T, language string) (blocks []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("README has no %s block", language)
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
		t.Setenv(m[1], value)
	}
}

// Every Caddyfile of the README loads.
func TestReadmeCaddyfiles(t *testing.T) {
	for _, text := range fenced(t, "caddyfile") {
		setEnv(t, text)
		config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "README.md"})
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%v %v in:\n%s", err, warnings, text)
		}
		var c *caddy.Config
		if err := json.Unmarshal(config, &c); err != nil {
			t.Fatal(err)
		}
		if err := caddy.Validate(c); err != nil {
			t.Errorf("%v in:\n%s", err, text)
		}
	}
}

// The JSON skeleton of the README loads.
func TestReadmeJSON(t *testing.T) {
	for _, text := range fenced(t, "json") {
		if !strings.Contains(text, `"handler"`) {
			continue // an answer
		}
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
func TestReadmeOptions(t *testing.T) {
	documented := make(map[string][]string)
	for _, m := range regexp.MustCompile("(?m)^\\| (chatkit|anonymous|openai_api|turn|provider|breaker|backend|openai|sendbird|cors) \\| `([a-z_]+)").FindAllStringSubmatch(readme(t), -1) {
		documented[m[1]] = append(documented[m[1]], m[2])
	}
	for block, table := range caddymodule.Blocks() {
		slices.Sort(documented[block])
		options := slices.Sorted(maps.Keys(table))
		if got := documented[block]; !slices.Equal(got, options) {
			t.Errorf("%s: README has %v, the code %v", block, got, options)
		}
	}
}

// The metrics table and /metrics name the same metrics.
func TestReadmeMetrics(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	exposed := make(map[string]bool)
	for line := range strings.Lines(s.Get(s.Admin + "/metrics")) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == "TYPE" && strings.HasPrefix(f[2], "caddy_chatkit_") {
			exposed[f[2]] = true
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(caddy_chatkit_[a-z_]+)`").FindAllStringSubmatch(readme(t), -1) {
		if !exposed[m[1]] {
			t.Errorf("README has %s, which is not exposed", m[1])
		}
		delete(exposed, m[1])
	}
	for name := range exposed {
		t.Errorf("README lacks %s", name)
	}
}

// The reasons of the README are the reasons of the code.
func TestReadmeReasons(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	text := readme(t)
	table := text[strings.Index(text, "### Reasons"):strings.Index(text, "## Metrics")]
	series := s.Get(s.Admin + "/metrics")
	found := regexp.MustCompile(`attempts_total\{provider="backend",result="([a-z0-9_]+)"\}`).FindAllStringSubmatch(series, -1)
	if len(found) < 10 {
		t.Fatalf("only %d results are exposed", len(found))
	}
	for _, m := range found {
		if m[1] != "ok" && !strings.Contains(table, "`"+m[1]+"`") {
			t.Errorf("README lacks reason %s", m[1])
		}
	}
}
