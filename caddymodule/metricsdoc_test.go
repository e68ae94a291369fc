package caddymodule_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metricsDoc is the page that is generated from what /metrics says.
const metricsDoc = "../docs/metrics.md"

// series is a line of /metrics: a name, labels, and a value that does not matter.
var (
	familyLine = regexp.MustCompile(`(?m)^# (HELP|TYPE) (caddy_chatkit_[a-z_]+) (.*)$`)
	seriesLine = regexp.MustCompile(`(?m)^(caddy_chatkit_[a-z_]+)(?:\{(.*)\})? `)
	labelPair  = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
)

// family is a metric as the page has it.
type family struct {
	help, kind string
	labels     []string
	values     map[string]map[string]bool // of labels with a closed set of values
}

// ofNames are labels whose values are names that operators give, or a build.
var ofNames = []string{"provider", "served_by", "module", "le", "version", "revision", "goversion"}

// families reads the metrics of the product.
func families(text string) map[string]*family {
	all := make(map[string]*family)
	for _, m := range familyLine.FindAllStringSubmatch(text, -1) {
		f := all[m[2]]
		if f == nil {
			f = &family{values: make(map[string]map[string]bool)}
			all[m[2]] = f
		}
		if m[1] == "HELP" {
			f.help = m[3]
		} else {
			f.kind = m[3]
		}
	}
	for _, m := range seriesLine.FindAllStringSubmatch(text, -1) {
		name := m[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(name, suffix); all[base] != nil {
				name = base
			}
		}
		if all[name] != nil {
			all[name].add(name, m[2])
		}
	}
	return all
}

func (f *family) add(name, labels string) {
	for _, l := range labelPair.FindAllStringSubmatch(labels, -1) {
		if l[1] != "le" && !slices.Contains(f.labels, l[1]) {
			f.labels = append(f.labels, l[1])
		}
		if slices.Contains(ofNames, l[1]) || strings.HasSuffix(name, "fallbacks_total") && l[1] != "reason" {
			continue
		}
		if f.values[l[1]] == nil {
			f.values[l[1]] = make(map[string]bool)
		}
		f.values[l[1]][l[2]] = true
	}
}

// metricsPage writes the page.
func metricsPage(all map[string]*family) string {
	var b strings.Builder
	b.WriteString(`# Metrics

Generated from the code by ` + "`go test ./caddymodule -run TestMetricsDoc -update`" + `; a test holds it against the code.

All series exist at 0 from the start and count on over reloads of the configuration. Names of providers are the only
values that are not from closed sets: no user, address, origin, URL or session is a label.
A reason is one of [the reasons](reference/http-api.md#reasons), a result is ok or one of them.

`)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		fmt.Fprintf(&b, "## %s\n\n%s %s\n\n", name, strings.ToUpper(f.kind[:1])+f.kind[1:]+".", f.help)
		for _, label := range slices.Sorted(slices.Values(f.labels)) {
			if values := f.values[label]; values != nil {
				fmt.Fprintf(&b, "- `%s`: `%s`\n", label, strings.Join(slices.Sorted(maps.Keys(values)), "`, `"))
				continue
			}
			fmt.Fprintf(&b, "- `%s`: a name\n", label)
		}
		if len(f.labels) > 0 {
			b.WriteString("\n")
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// docs/metrics.md says of every metric what the code says.
func TestMetricsDoc(t *testing.T) {
	s := newSite(t, visitor+"\n openai_api /v1 {\n key k\n }\n chatkit /chatkit {\n standin say {\n message m\n }\n }")
	got := metricsPage(families(s.Get(s.Admin + "/metrics")))
	if *update {
		if err := os.WriteFile(metricsDoc, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the code says; run this test with -update", metricsDoc)
	}
}
