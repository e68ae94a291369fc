package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// shared are the instruments of what instances share, one set per process.
var shared = struct {
	up              prometheus.Gauge
	events, lookups *prometheus.CounterVec
	lag             prometheus.Histogram
}{
	up: prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: "shared_up",
		Help: "Whether what instances share can be read, written and heard: 1 if it can, 0 if not, or if nothing is shared.",
	}),
	events: counter("shared_events_total", "What instances told each other, by direction and what it is about.", "direction", "kind"),
	lookups: counter("shared_lookups_total",
		"Questions to what instances share that a request waited for, by result. Skipped are those that were not asked because it was away.", "result"),
	lag: prometheus.NewHistogram(histogramOpts("shared_lag_seconds",
		"Time from when this instance told a fact until it arrived at all who listen.",
		[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5})),
}

// The directions of shared events.
var sharedDirections = []string{"sent", "received", "dropped"}

// SharedUp sets whether what is shared can be used.
func SharedUp(up bool) {
	shared.up.Set(0)
	if up {
		shared.up.Set(1)
	}
}

// SharedEvent counts something that was told.
func SharedEvent(direction, kind string) { shared.events.WithLabelValues(direction, kind).Inc() }

// SharedLookup counts a question.
func SharedLookup(result string) { shared.lookups.WithLabelValues(result).Inc() }

// SharedLag observes how long a fact was on its way.
func SharedLag(d time.Duration) { shared.lag.Observe(d.Seconds()) }

// InitShared creates the series of what is shared.
func InitShared(kinds, results []string) {
	for _, direction := range sharedDirections {
		for _, kind := range kinds {
			shared.events.WithLabelValues(direction, kind)
		}
	}
	for _, result := range results {
		shared.lookups.WithLabelValues(result)
	}
}
