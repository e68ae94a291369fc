package registry

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// collector is the one collector of the product. Before each scrape it creates
// every series of the active configuration at 0. Doing it here keeps refused
// configurations out of the metrics.
//
// It reads breakers at scrape time: the step from open to half-open happens by
// the clock, and a gauge set on changes would miss it.
type collector struct{}

var (
	stateDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "breaker_state"),
		"State of a provider's breaker: 1 for its current state, 0 for the others.", []string{"provider", "state"}, nil)
	openUntilDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "breaker_open_until_timestamp_seconds"),
		"When an open breaker lets a probe through, or a forced open one is released. 0 if it is not open.", []string{"provider"}, nil)
	inFlightDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "attempts_in_flight"),
		"Attempts at a provider that are under way, carried requests until the header of their answer.", []string{"provider"}, nil)
	maxInFlightDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "attempts_in_flight_limit"),
		"How many attempts at a provider may be under way (max_in_flight).", []string{"provider"}, nil)
	sinceDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "breaker_since_timestamp_seconds"),
		"When a provider's breaker got into its state.", []string{"provider"}, nil)
	leaseDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "shared_lease"),
		"Whether this instance is the one of the fleet that may probe the provider: 1 if it is, else 0.", []string{"provider"}, nil)
	infoDesc = prometheus.NewDesc(prometheus.BuildFQName(telemetry.Namespace, telemetry.Subsystem, "config_info"),
		"The providers of the configuration, always 1.", []string{"provider", "module"}, nil)
)

// Describe implements [prometheus.Collector].
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range telemetry.Collectors() {
		c.Describe(ch)
	}
	ch <- stateDesc
	ch <- openUntilDesc
	ch <- inFlightDesc
	ch <- maxInFlightDesc
	ch <- sinceDesc
	ch <- leaseDesc
	ch <- infoDesc
}

// Collect implements [prometheus.Collector].
func (collector) Collect(ch chan<- prometheus.Metric) {
	app := active()
	app.createSeries()
	for _, c := range telemetry.Collectors() {
		c.Collect(ch)
	}
	for _, p := range app.all() {
		p.collect(ch)
	}
}

func (p *Provider) collect(ch chan<- prometheus.Metric) {
	state := p.Breaker.State()
	for _, s := range breaker.States() {
		value := 0.
		if s == state {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, value, p.Name, string(s))
	}
	until := 0.
	if t := p.Breaker.OpenUntil(); !t.IsZero() {
		until = float64(t.UnixNano()) / 1e9
	}
	ch <- prometheus.MustNewConstMetric(openUntilDesc, prometheus.GaugeValue, until, p.Name)
	ch <- prometheus.MustNewConstMetric(inFlightDesc, prometheus.GaugeValue, float64(p.Places.InFlight()), p.Name)
	ch <- prometheus.MustNewConstMetric(maxInFlightDesc, prometheus.GaugeValue, float64(p.Places.Limit()), p.Name)
	since := float64(p.Breaker.Snapshot().Since.UnixNano()) / 1e9
	ch <- prometheus.MustNewConstMetric(sinceDesc, prometheus.GaugeValue, since, p.Name)
	lease := 0.
	if m := p.fleet.in(); m != nil && m.Holds() {
		lease = 1
	}
	ch <- prometheus.MustNewConstMetric(leaseDesc, prometheus.GaugeValue, lease, p.Name)
	ch <- prometheus.MustNewConstMetric(infoDesc, prometheus.GaugeValue, 1, p.Name, p.Module)
}

// register puts the metrics into the registry of a configuration, unless they are
// there already.
func register(r *prometheus.Registry) error {
	err := r.Register(collector{})
	if _, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return nil
	}
	return err
}
