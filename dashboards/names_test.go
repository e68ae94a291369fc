package dashboards_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// exposed are the metrics of the product: the values of each label of each
// name, those of histograms by the names of their parts too.
type exposed map[string]map[string]map[string]bool

var (
	seriesLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$`)
	labelValue = regexp.MustCompile(`(\w+)(?:=|!=|=~|!~)"([^"]*)"`)
	selector   = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	nakedName  = regexp.MustCompile(`\b(?:caddy|process|job|job_outcome)[_:][a-z_:0-9]+`)
	labelLists = regexp.MustCompile(`\b(?:by|on|ignoring|group_left|without) \(([^)]*)\)`)
	pageMetric = regexp.MustCompile("(?m)^## (caddy_chatkit_[a-z_]+)\n\n.*\n((?:\n|- .*\n)*)")
	pageLabel  = regexp.MustCompile("(?m)^- `([a-z_]+)`: (.*)$")
)

// everything has all that has series of its own.
const everything = testsite.TwoProviders + `
	chatkit /chatkit {
		standin say {
			message "Away"
		}
	}
	openai_api /v1 {
		key key-of-the-app
	}
	rate_limit user 2 1h
	rate_limit ip 90 1h`

// scrape reads the metrics of the product.
func scrape(t *testing.T) exposed {
	t.Helper()
	s := testsite.New(t, everything)
	all := make(exposed)
	for line := range strings.Lines(s.Get(s.Admin + "/metrics")) {
		m := seriesLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if all[m[1]] == nil {
			all[m[1]] = make(map[string]map[string]bool)
		}
		for _, l := range labelValue.FindAllStringSubmatch(m[2], -1) {
			if all[m[1]][l[1]] == nil {
				all[m[1]][l[1]] = make(map[string]bool)
			}
			all[m[1]][l[1]][l[2]] = true
		}
	}
	return all
}

// Every metric, label and value of a label that is used exists in the product.
func TestNames(t *testing.T) {
	all := scrape(t)
	recorded := make(map[string]bool)
	for _, m := range regexp.MustCompile(`- record: (\S+)`).FindAllStringSubmatch(shipped.Read(t, shipped.RecordingFile), -1) {
		recorded[m[1]] = true
	}
	checked := 0
	check := func(where, expr string) {
		checked++
		names := nakedName.FindAllString(labelValue.ReplaceAllString(expr, ""), -1)
		labels := map[string]bool{"job": true, "instance": true, "": true}
		for _, name := range names {
			switch {
			case all[name] == nil && !recorded[name]:
				t.Errorf("%s: nothing is called %s", where, name)
			case recorded[name]:
				labels["outcome"] = true
			}
			for l := range all[name] {
				labels[l] = true
			}
		}
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			all.checkMatchers(t, where, m[1], m[2])
		}
		for _, m := range labelLists.FindAllStringSubmatch(expr, -1) {
			for l := range strings.SplitSeq(m[1], ",") {
				if l = strings.TrimSpace(l); !labels[l] {
					t.Errorf("%s: no metric in it has a label %q", where, l)
				}
			}
		}
	}
	dashboard := shipped.ReadDashboard(t)
	for _, e := range dashboard.Expressions() {
		check(e.Name, e.Expr)
	}
	for _, v := range dashboard.Templating.List {
		check("variable "+v.Name, v.Definition)
	}
	for _, file := range []string{shipped.RecordingFile, shipped.AlertsFile} {
		for _, m := range regexp.MustCompile(`(?m)expr: (?:\|\n((?:          .*\n)+)|(.*))`).FindAllStringSubmatch(shipped.Read(t, file), -1) {
			check(file, m[1]+m[2])
		}
	}
	for _, q := range shipped.RunbookQueries(t) {
		check(shipped.RunbookFile, q)
	}
	if checked < 60 {
		t.Errorf("only %d expressions found", checked)
	}
}

// checkMatchers checks what stands in braces behind a name. What "job" and
// "instance" are is Prometheus's business, and patterns of variables match all.
func (all exposed) checkMatchers(t *testing.T, where, name, matchers string) {
	t.Helper()
	for _, m := range labelValue.FindAllStringSubmatch(matchers, -1) {
		values := all[name][m[1]]
		if m[1] == "instance" || m[1] == "job" || strings.Contains(name, ":") {
			continue
		}
		if values == nil {
			t.Errorf("%s: %s has no label %s", where, name, m[1])
			continue
		}
		for v := range strings.SplitSeq(m[2], "|") {
			if v != ".*" && !strings.HasPrefix(v, "$") && !values[v] {
				t.Errorf("%s: %s of %s is never %q", where, m[1], name, v)
			}
		}
	}
}

// The page of metrics has the labels that the product has, and where it lists the
// values of one, all of them.
func TestPageLabels(t *testing.T) {
	all := scrape(t)
	metrics := pageMetric.FindAllStringSubmatch(shipped.ReadPage(t, "docs/metrics.md"), -1)
	if len(metrics) < 10 {
		t.Fatalf("the page has only %d metrics", len(metrics))
	}
	for _, metric := range metrics {
		labels := all[metric[1]]
		if labels == nil {
			labels = maps.Clone(all[metric[1]+"_count"])
		}
		var named []string
		for _, m := range pageLabel.FindAllStringSubmatch(metric[2], -1) {
			named = append(named, m[1])
			if m[2] == "a name" {
				continue
			}
			values := strings.Split(strings.Trim(m[2], "`"), "`, `")
			if got := slices.Sorted(maps.Keys(labels[m[1]])); !slices.Equal(got, values) {
				t.Errorf("%s: %s is one of %q, the page has %q", metric[1], m[1], got, values)
			}
		}
		if got := slices.Sorted(maps.Keys(labels)); !slices.Equal(got, named) {
			t.Errorf("%s has labels %q, the page has %q", metric[1], got, named)
		}
	}
}
