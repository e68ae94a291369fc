package dashboards_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The files that are shipped.
const (
	dashboardFile = "chatkit-overview.json"
	recordingFile = "rules.yaml"
	alertsFile    = "alerts.yaml"
	runbookFile   = "RUNBOOK.md"
)

// panel is what the tests read of a panel.
type panel struct {
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

// overview is what the tests read of the dashboard.
type overview struct {
	UID         string
	Panels      []panel
	Annotations struct{ List []struct{ Name, Expr string } }
	Templating  struct {
		List []struct{ Name, Type, Definition string }
	}
}

// read reads a file.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// readDashboard reads the shipped dashboard.
func readDashboard(t *testing.T) (o overview) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// rateInterval is what stands for Grafana's $__rate_interval: longer than the
// test takes, so that a rate times it is the number of all events.
const rateInterval = "5m"

// expanded is an expression as Grafana sends it, for all instances and
// providers.
func expanded(expr string) string {
	return strings.NewReplacer(
		"$__rate_interval", rateInterval, "$__range", rateInterval, "$__interval_ms", "1000", "$__interval", "1s",
		"$instance", ".*", "$provider", ".*",
	).Replace(expr)
}

// expression is one of all that are shipped.
type expression struct {
	name   string // of the panel and its query, of the rule or the alert
	expr   string
	legend string // of panels
}

// expressions are those of the dashboard; rules are read from Prometheus.
func (o *overview) expressions() (all []expression) {
	for _, p := range o.Panels {
		for _, q := range p.Targets {
			name := p.Title
			if len(p.Targets) > 1 {
				name += " " + q.RefID
			}
			all = append(all, expression{name, expanded(q.Expr), q.LegendFormat})
		}
	}
	for _, a := range o.Annotations.List {
		all = append(all, expression{"annotation " + a.Name, expanded(a.Expr), ""})
	}
	return all
}

// label stands for a label in a legend, as in Grafana.
var label = regexp.MustCompile(`\{\{(\w+)\}\}`)

// called is what a series is called in a legend.
func called(legend string, labels map[string]string) string {
	return label.ReplaceAllStringFunc(legend, func(l string) string { return labels[l[2:len(l)-2]] })
}
