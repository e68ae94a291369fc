package dashboards_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
)

// Every panel says what it shows and how; none stands on another.
func TestPanels(t *testing.T) {
	o := shipped.ReadDashboard(t)
	ids, titles := make(map[int]bool), make(map[string]bool)
	for _, p := range o.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if titles[p.Title] {
			t.Errorf("two panels are called %q", p.Title)
		}
		titles[p.Title] = true
		fields := p.FieldConfig.Defaults
		if p.Description == "" || fields.Unit == "" || len(fields.Thresholds.Steps) == 0 || fields.Thresholds.Steps[0].Value != nil || len(p.Targets) == 0 {
			t.Errorf("%s lacks a description, a unit, thresholds or a query", p.Title)
		}
		for _, q := range p.Targets {
			if strings.Contains(q.Expr, "WINDOW") || strings.Contains(q.Expr, "{I") || !strings.Contains(q.Expr, `job=~"$job",instance=~"$instance"`) {
				t.Errorf("%s: not filled in: %s", p.Title, q.Expr)
			}
		}
	}
}

// The dashboard is one and the same wherever it is imported, and for whichever
// instances.
func TestDashboard(t *testing.T) {
	o := shipped.ReadDashboard(t)
	var rows []string
	for _, p := range o.Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
		}
	}
	variables := make([]string, len(o.Templating.List))
	for i, v := range o.Templating.List {
		variables[i] = v.Name
	}
	if want := []string{"Is it working?", "Who serves and why", "How fast", "Streams", "ChatKit turns", "Stand-ins", "Protection", "Fleet", "Instances"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if want := []string{"datasource", "job", "instance", "provider"}; !slices.Equal(variables, want) || o.UID != "chatkit-overview" {
		t.Errorf("uid %q, variables %q, want %q", o.UID, variables, want)
	}
}

// alertText is an alert in the file.
var alertText = regexp.MustCompile(`(?s)- alert: (\w+)\n(.*?)(?:\n\n|\z)`)

// alerts are the texts of all alerts by name.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, m := range alertText.FindAllStringSubmatch(shipped.Read(t, shipped.AlertsFile), -1) {
		all[m[1]] = m[2]
	}
	if len(all) < 10 {
		t.Fatalf("only %d alerts found", len(all))
	}
	return all
}

// Every alert says how bad it is, what it is and where to read on, and there is
// something to read; every section is about an alert.
func TestAlerts(t *testing.T) {
	all, runbook := alerts(t), shipped.Read(t, shipped.RunbookFile)
	if got := strings.Count(shipped.Read(t, shipped.AlertsFile), "- alert:"); got != len(all) {
		t.Errorf("%d of %d alerts found", len(all), got)
	}
	severity := regexp.MustCompile(`\n        labels:\n          severity: (page|ticket)\n`)
	for name, text := range all {
		if !severity.MatchString(text) || !strings.Contains(text, "\n          summary: '") || !strings.Contains(text, "\n          description: >-\n") {
			t.Errorf("%s lacks its severity, summary or description", name)
		}
		url := "\n          runbook_url: https://github.com/caddy-chatkit/caddy-chatkit/blob/main/dashboards/RUNBOOK.md#" + strings.ToLower(name)
		if !strings.HasSuffix(strings.TrimSpace(text), url) {
			t.Errorf("%s does not end in%s", name, url)
		}
		_, section, ok := strings.Cut(runbook, "\n## "+name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, part := range []string{"**Means**: ", "**Look at**: ", "**Do**: ", "**Wake somebody**: ", "Query"} {
			if !ok || !strings.Contains(strings.ReplaceAll(section, "**Do**:\n", "**Do**: "), part) {
				t.Errorf("the runbook's section of %s lacks %q", name, part)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(runbook, -1) {
		if all[m[1]] == "" {
			t.Errorf("the runbook has a section %s, and there is no such alert", m[1])
		}
	}
}

// Every alert has a promtool test in which it fires, and one in which it does
// not from beginning to end.
func TestAlertsAreTested(t *testing.T) {
	files, err := filepath.Glob("tests/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	check := regexp.MustCompile(`alertname: (\w+)\n\s+exp_alerts:( \[\])?`)
	fires, quiet, ends := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, file := range files {
		for _, test := range strings.Split(shipped.Read(t, file), "\n  - name: ")[1:] {
			name, fired, ended := "", false, false
			for _, m := range check.FindAllStringSubmatch(test, -1) {
				none := m[2] != ""
				name, ended, fired = m[1], none && (ended || fired), fired || !none
			}
			fires[name] = fires[name] || fired
			quiet[name] = quiet[name] || !fired
			ends[name] = ends[name] || ended
		}
	}
	for name := range alerts(t) {
		if !fires[name] || !quiet[name] || !ends[name] {
			t.Errorf("%s: tests have it fire %v, stay quiet %v, resolve %v", name, fires[name], quiet[name], ends[name])
		}
	}
}

// The panels that the runbook names exist.
func TestRunbookPanels(t *testing.T) {
	titles := []string{"Status, Targets"} // of Prometheus itself
	for _, p := range shipped.ReadDashboard(t).Panels {
		titles = append(titles, p.Title)
		if p.Type == "table" {
			for _, name := range regexp.MustCompile(`"Value #[A-Z]": "([^"]+)"`).FindAllStringSubmatch(shipped.Read(t, shipped.DashboardFile), -1) {
				titles = append(titles, name[1])
			}
		}
	}
	named := regexp.MustCompile(`(?s)(?:^|[^*])\*([A-Z][^*]+)\*(?:[^*]|$)`).FindAllStringSubmatch(shipped.Read(t, shipped.RunbookFile), -1)
	if len(named) < 20 {
		t.Fatalf("only %d panels are named", len(named))
	}
	for _, m := range named {
		if name := strings.Join(strings.Fields(m[1]), " "); !slices.Contains(titles, name) {
			t.Errorf("there is no panel %q", name)
		}
	}
}

// README.md lists every file, and every variable of the dashboard.
func TestReadme(t *testing.T) {
	text := shipped.Read(t, "README.md")
	files, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if !strings.HasSuffix(name, ".go") && name != "README.md" && !strings.Contains(text, "]("+name) {
			t.Errorf("README.md does not list %s", name)
		}
	}
	for _, v := range shipped.ReadDashboard(t).Templating.List {
		if !strings.Contains(text, "\n| "+v.Label+" | ") {
			t.Errorf("README.md does not list the variable %s", v.Label)
		}
	}
}
