// Package shipped reads the files of dashboards, and the blocks of code of all
// pages, for the tests that hold them against the product. Only tests import it.
package shipped

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The files that are shipped.
const (
	DashboardFile = "chatkit-overview.json"
	RecordingFile = "rules.yaml"
	AlertsFile    = "alerts.yaml"
	RunbookFile   = "RUNBOOK.md"
)

// Panel is what the tests read of a panel.
type Panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Thresholds struct {
				Steps []struct {
					Color string
					Value *float64
				}
			}
		}
	}
	Targets []struct{ RefID, Expr, LegendFormat string }
}

// Dashboard is what the tests read of the dashboard.
type Dashboard struct {
	UID         string
	Panels      []Panel
	Annotations struct{ List []struct{ Name, Expr string } }
	Templating  struct {
		List []struct{ Name, Label, Type, Definition string }
	}
}

// Path returns the path of one of the files.
func Path(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(repository(t), "dashboards", name)
}

// Read reads one of the files.
func Read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ReadDashboard reads the dashboard.
func ReadDashboard(t *testing.T) (d Dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(Read(t, DashboardFile)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// RunbookQueries returns what the runbook says to ask Prometheus.
func RunbookQueries(t *testing.T) (all []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)Query[a-z ]*:\\s+`([^`]+)`").FindAllStringSubmatch(Read(t, RunbookFile), -1) {
		all = append(all, m[1])
	}
	if len(all) < 10 {
		t.Fatalf("only %d queries found", len(all))
	}
	return all
}

// rateInterval is what stands for Grafana's $__rate_interval: longer than the
// test takes, so that a rate times it is the number of all events.
const rateInterval = "5m"

// expanded is an expression as Grafana sends it, for all jobs, instances
// and providers.
func expanded(expr string) string {
	return strings.NewReplacer(
		"$__rate_interval", rateInterval, "$__range", rateInterval, "$__interval_ms", "1000", "$__interval", "1s",
		"$job", ".*", "$instance", ".*", "$provider", ".*",
	).Replace(expr)
}

// Expression is one of all that are shipped.
type Expression struct {
	Name   string // of the panel and its query, of the rule or the alert
	Expr   string
	Legend string // of panels
}

// Expressions returns those of the dashboard; rules are read from Prometheus.
func (d *Dashboard) Expressions() (all []Expression) {
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			name := p.Title
			if len(p.Targets) > 1 {
				name += " " + q.RefID
			}
			all = append(all, Expression{name, expanded(q.Expr), q.LegendFormat})
		}
	}
	for _, a := range d.Annotations.List {
		all = append(all, Expression{"annotation " + a.Name, expanded(a.Expr), ""})
	}
	return all
}

// label stands for a label in a legend, as in Grafana.
var label = regexp.MustCompile(`\{\{(\w+)\}\}`)

// Called is what a series is called in a legend.
func Called(legend string, labels map[string]string) string {
	return label.ReplaceAllStringFunc(legend, func(l string) string { return labels[l[2:len(l)-2]] })
}
