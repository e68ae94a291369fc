package telemetry

import "github.com/prometheus/client_golang/prometheus"

// HealthResult is what a check of a provider's health has found, as a metric label.
type HealthResult string

// The results of checks.
const (
	Healthy             HealthResult = "healthy"
	Unhealthy           HealthResult = "unhealthy"
	HealthMisconfigured HealthResult = "misconfigured" // the check itself is wrong
)

// protection are the metrics of what keeps a failure from spreading.
var protection = struct {
	checks *prometheus.CounterVec
	drills prometheus.Counter
}{
	checks: counter("health_checks_total",
		"Checks of a provider's health while its breaker was not closed, by what they found.", "provider", "result"),
	drills: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: "drills_total",
		Help: "Requests of operators that left out the first provider. Metrics of sessions, streams and fallbacks do not count them.",
	}),
}

// HealthChecked counts a check of a provider's health.
func HealthChecked(provider string, r HealthResult) {
	protection.checks.WithLabelValues(provider, string(r)).Inc()
}

// Drilled counts a drill.
func Drilled() { protection.drills.Inc() }

// initChecks creates the series of a provider.
func initChecks(name string) {
	for _, r := range []HealthResult{Healthy, Unhealthy, HealthMisconfigured} {
		protection.checks.WithLabelValues(name, string(r))
	}
}
