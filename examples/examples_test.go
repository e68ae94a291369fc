package examples_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// drives are the examples, and what each has to do when it is served.
var drives = map[string]func(s *site){
	"minimal":      driveMinimal,
	"forward-auth": driveForwardAuth,
	"anonymous":    driveAnonymous,
	"two-regions":  driveTwoRegions,
	"sendbird":     driveSendbird,
	"openai-sdk":   driveOpenAISDK,
	"multi-model":  driveMultiModel,
	"strict-cors":  driveStrictCORS,
	"tracing":      driveTracing,
	"compose":      func(s *site) { driveContainer(s, "compose") },
	"kubernetes":   func(s *site) { driveContainer(s, "kubernetes") },
}

// An example without a test is none, and the other way round.
func TestEveryExampleIsDriven(t *testing.T) {
	if got, want := directories(t), slices.Sorted(maps.Keys(drives)); !slices.Equal(got, want) {
		t.Errorf("the directories are %q, the tests %q", got, want)
	}
}

func TestExamples(t *testing.T) {
	for _, name := range directories(t) {
		t.Run(name, func(t *testing.T) {
			drive, ok := drives[name]
			if !ok {
				t.Fatal("there is no test of it")
			}
			drive(newSite(t))
		})
	}
}

// directories are the names of all directories here, but for Go modules of their
// own, which have their own tests.
func directories(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(e.Name(), "Caddyfile")); err != nil {
			continue // code, such as backends
		}
		if _, err := os.Stat(filepath.Join(e.Name(), "go.mod")); e.IsDir() && err != nil {
			names = append(names, e.Name())
		}
	}
	return names
}

// Every example loads as it stands, and is formatted.
func TestExamplesLoad(t *testing.T) {
	for _, name := range directories(t) {
		t.Run(name, func(t *testing.T) {
			text := read(t, name)
			if string(caddyfile.Format([]byte(text))) != text {
				t.Error("it is not as caddy fmt has it")
			}
			setEnv(t, text)
			config, err := testsite.Adapt(text)
			if err != nil {
				t.Fatal(err)
			}
			var c *caddy.Config
			if err := json.Unmarshal(config, &c); err != nil {
				t.Fatal(err)
			}
			c.Logging = errorsOnly
			if err := caddy.Validate(c); err != nil {
				t.Error(err)
			}
		})
	}
}

var errorsOnly = &caddy.Logging{Logs: map[string]*caddy.CustomLog{
	caddy.DefaultLoggerName: {BaseLog: caddy.BaseLog{Level: "ERROR"}},
}}

// setEnv gives every {env.X} of a text a value.
func setEnv(t *testing.T, text string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\{env\.(\w+)\}`).FindAllStringSubmatch(text, -1) {
		value := "value"
		if strings.Contains(m[1], "_URL") {
			value = "https://api.example.com"
		}
		if m[1] == "VISITOR_KEY" {
			value = visitorKey
		}
		t.Setenv(m[1], value)
	}
}

var (
	parseTime = regexp.MustCompile(`\{\$`)
	secret    = regexp.MustCompile(`(?m)^\s*(key|api_token|app_id|workflow)\s.*$`)
	fromEnv   = regexp.MustCompile(`\s\{env\.[A-Z_]+\}$`)
)

// Secrets, and what differs per deployment, come from the environment, when the
// configuration is loaded.
func TestExamplesHoldNoSecrets(t *testing.T) {
	for _, name := range directories(t) {
		text := read(t, name)
		if parseTime.MatchString(text) {
			t.Errorf("%s has {$...}, which the admin API shows", name)
		}
		for _, line := range secret.FindAllString(text, -1) {
			if !fromEnv.MatchString(line) {
				t.Errorf("%s: %q is not from the environment", name, strings.TrimSpace(line))
			}
		}
	}
}

// Three lines on top say when to use an example, what it does and what to set
// and watch; nothing else is commented.
func TestExamplesSayWhatTheyAreFor(t *testing.T) {
	head := regexp.MustCompile(`\A# When: .+\n# What: .+\n# Set .+\n\n?[^#]*\z`)
	for _, name := range directories(t) {
		if text := read(t, name); !head.MatchString(text) {
			t.Errorf("%s does not begin with exactly three comment lines (When, What, Set)", name)
		}
	}
}

var (
	row      = regexp.MustCompile("(?m)^\\| \\[`([^`]+)`\\]\\(([^)]+)\\) \\| .+ \\| `([^`]+)` \\|$")
	siteName = regexp.MustCompile(`(?m)^(\S+\.example\.com) \{$`)
)

// The table of README.md has every example, and the URL of each is of its site. Those
// in containers, which have none, stand below it.
func TestREADMEListsTheExamples(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := row.FindAllStringSubmatch(string(b), -1)
	listed := make([]string, 0, len(rows))
	for _, m := range rows {
		name, link, url := m[1], m[2], m[3]
		listed = append(listed, name)
		if link != name+"/Caddyfile" {
			t.Errorf("%s leads to %s", name, link)
		}
		if host := siteName.FindStringSubmatch(read(t, name)); host == nil || !strings.HasPrefix(url, "https://"+host[1]+"/") {
			t.Errorf("%s: the URL %s is not of its site", name, url)
		}
	}
	for _, name := range directories(t) {
		if !siteName.MatchString(read(t, name)) && strings.Contains(string(b), "]("+name+"/Caddyfile)") {
			listed = append(listed, name)
		}
	}
	slices.Sort(listed)
	if want := directories(t); !slices.Equal(listed, want) {
		t.Errorf("README.md lists %q, there are %q", listed, want)
	}
}
