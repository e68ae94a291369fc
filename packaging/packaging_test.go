package packaging_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the copies of the rules")

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ruleHead stands above the groups of a PrometheusRule.
const ruleHead = `# rules.yaml and alerts.yaml of dashboards/ for the Prometheus Operator, written by
# go test ./packaging -update
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: chat
spec:
  groups:
`

// groups are those of a file of rules, moved to the right.
func groups(t *testing.T, path string) string {
	t.Helper()
	_, list, ok := strings.Cut(read(t, path), "\ngroups:\n")
	if !ok {
		t.Fatalf("%s has no groups", path)
	}
	return regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(list, "  $1")
}

// The rules that Kubernetes gets are those of dashboards.
func TestRulesAreCopies(t *testing.T) {
	const rules, alerts = "dashboards/rules.yaml", "dashboards/alerts.yaml"
	for path, want := range map[string]string{
		"charts/caddy-chatkit/files/rules.yaml":   read(t, rules),
		"charts/caddy-chatkit/files/alerts.yaml":  read(t, alerts),
		"examples/kubernetes/prometheusrule.yaml": ruleHead + groups(t, rules) + groups(t, alerts),
	} {
		if *update {
			if err := os.WriteFile(filepath.Join("..", path), []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if read(t, path) != want {
			t.Errorf("%s is not what dashboards has; run this test with -update", path)
		}
	}
}

// number finds the first group of a pattern in a file.
func number(t *testing.T, path, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(read(t, path))
	if m == nil {
		t.Fatalf("%s has no %s", path, pattern)
	}
	return m[1]
}

func duration(t *testing.T, path, pattern string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(number(t, path, pattern))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return d
}

// Whoever stops Caddy waits longer than Caddy does for what is open.
func TestStopTimes(t *testing.T) {
	const grace = `(?m)^\s+grace_period (\w+)$`
	for _, c := range []struct {
		name                string
		needs, gets, margin time.Duration
	}{
		{
			"unit", duration(t, "Caddyfile", grace),
			duration(t, "packaging/caddy.service", `TimeoutStopSec=(\w+)`), 10 * time.Second,
		},
		{
			"compose", duration(t, "examples/compose/Caddyfile", grace) + duration(t, "examples/compose/Caddyfile", `(?m)^\s+shutdown_delay (\w+)$`),
			duration(t, "examples/compose/compose.yaml", `stop_grace_period: (\w+)`), 5 * time.Second,
		},
		{
			"kubernetes", duration(t, "examples/kubernetes/Caddyfile", grace) + seconds(t, `sleep:\s+seconds: (\d+)`),
			seconds(t, `terminationGracePeriodSeconds: (\d+)`), 10 * time.Second,
		},
	} {
		if c.gets < c.needs+c.margin {
			t.Errorf("%s: waits for %s, want at least %s", c.name, c.gets, c.needs+c.margin)
		}
	}
}

func seconds(t *testing.T, pattern string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(number(t, "examples/kubernetes/deployment.yaml", pattern) + "s")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The unit, the image and the pods give Caddy no more than it needs, and print no
// secret.
func TestLeastPrivilege(t *testing.T) {
	for path, wants := range map[string][]string{
		"packaging/caddy.service": {
			"NoNewPrivileges=true", "ProtectSystem=strict", "User=caddy", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n", "MemoryDenyWriteExecute=true",
		},
		"packaging/nfpm.yaml":                            {"dst: /etc/caddy/chatkit.env\n    type: config|noreplace\n    file_info: {mode: 0600,"},
		"Dockerfile":                                     {"\nUSER 65532:65532\n", `CMD ["caddy", "chatkit-health"]`, "ARG BASE_IMAGE=scratch\n"},
		"examples/compose/compose.yaml":                  {"read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"},
		"examples/kubernetes/deployment.yaml":            {"runAsNonRoot: true", "readOnlyRootFilesystem: true", "drop: [ALL]", "type: RuntimeDefault"},
		"charts/caddy-chatkit/templates/deployment.yaml": {"runAsNonRoot: true", "readOnlyRootFilesystem: true", "drop: [ALL]", "type: RuntimeDefault"},
	} {
		text := read(t, path)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		if regexp.MustCompile(`(?m)^[^#]*--environ`).MatchString(text) {
			t.Errorf("%s prints the environment", path)
		}
	}
}

// What the chart serves by default is what the base serves, so that the tests of the
// example hold for both.
func TestChartServesTheExample(t *testing.T) {
	_, base, _ := strings.Cut(read(t, "examples/kubernetes/Caddyfile"), "\n{\n")
	base = strings.Replace("{\n"+base, "grace_period 5m", "grace_period {$GRACE_PERIOD}", 1)
	_, chart, _ := strings.Cut(read(t, "charts/caddy-chatkit/values.yaml"), "\ncaddyfile: |\n")
	chart, _, _ = strings.Cut(chart, "\n\n#")
	chart = regexp.MustCompile(`(?m)^  `).ReplaceAllString(chart, "")
	if strings.TrimSpace(chart) != strings.TrimSpace(base) {
		t.Errorf("values.yaml has\n%s\nwant\n%s", chart, base)
	}
}
