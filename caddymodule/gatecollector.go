package caddymodule

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// gateCollector reads the breakers at scrape time: the step from open to
// half-open happens by the clock, and a gauge set on changes would miss it.
type gateCollector struct{}

var (
	stateDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "breaker_state"),
		"State of a provider's breaker: 1 for the state it is in, 0 for the others.", []string{"provider", "state"}, nil)
	openUntilDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "breaker_open_until_timestamp_seconds"),
		"When an open breaker lets a probe through, or a forced open one is no longer forced; 0 where it is not open.", []string{"provider"}, nil)
	infoDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "config_info"),
		"The providers of the configuration, always 1.", []string{"provider", "module"}, nil)
)

// Describe implements [prometheus.Collector].
func (gateCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- stateDesc
	ch <- openUntilDesc
	ch <- infoDesc
}

// Collect implements [prometheus.Collector].
func (gateCollector) Collect(ch chan<- prometheus.Metric) {
	for _, e := range labeledGates() {
		state := e.gate.State()
		for _, s := range breaker.States() {
			value := 0.
			if s == state {
				value = 1
			}
			ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, value, e.label, string(s))
		}
		until := 0.
		if t := e.gate.OpenUntil(); !t.IsZero() {
			until = float64(t.UnixNano()) / 1e9
		}
		ch <- prometheus.MustNewConstMetric(openUntilDesc, prometheus.GaugeValue, until, e.label)
		ch <- prometheus.MustNewConstMetric(infoDesc, prometheus.GaugeValue, 1, e.label, e.module)
	}
}

// labeledGate is a gate in use and the label it has in metrics.
type labeledGate struct {
	*gateEntry
	label string
	alone bool // no other has its name
}

// labeledGates are the gates in use. Where two sites use one provider name with
// different settings there are two gates of that name: the one configured last
// has the plain name as its label, the others their key, which has a hash.
func labeledGates() []labeledGate {
	var all []labeledGate
	gates.Range(func(_, value any) bool {
		if e, ok := value.(*gateEntry); ok {
			all = append(all, labeledGate{gateEntry: e, label: e.key})
		}
		return true
	})
	slices.SortFunc(all, func(a, b labeledGate) int { return cmp.Compare(b.seq.Load(), a.seq.Load()) })
	taken := make(map[string]int)
	for i, g := range all {
		if taken[g.name]++; taken[g.name] == 1 {
			all[i].label = g.name
		}
	}
	for i, g := range all {
		all[i].alone = taken[g.name] == 1
	}
	return all
}
