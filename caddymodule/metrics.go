package caddymodule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// outcome is what became of a session request, as a metric label.
type outcome string

// The outcomes.
const (
	outcomeOK       outcome = "ok"       // the first provider served
	outcomeFallback outcome = "fallback" // a later one did
	outcomeRejected outcome = "rejected" // a provider refused the caller
	outcomeFailed   outcome = "failed"   // every provider failed
	outcomeRefused  outcome = "refused"  // we refused: no user, bad body, …
	outcomeCanceled outcome = "canceled" // the client went away
)

// streamOutcome is what became of a carried request, as a metric label.
type streamOutcome string

// The outcomes of what is carried.
const (
	streamOK       streamOutcome = "ok"
	streamCut      streamOutcome = "cut"      // the backend broke off
	streamCanceled streamOutcome = "canceled" // the client went away
	streamIdle     streamOutcome = "idle"     // the backend paused too long
	streamFailed   streamOutcome = "failed"   // no backend took it
)

func streamOutcomes() []streamOutcome {
	return []streamOutcome{streamOK, streamCut, streamCanceled, streamIdle, streamFailed}
}

// resultOK is the result of an attempt that gave a session.
const resultOK = "ok"

// result is a reason as a metric label and log field.
func result(r session.Reason) string {
	if r == session.OK {
		return resultOK
	}
	return string(r)
}

// Buckets, in seconds: whole requests and attempts from 1 ms up to the deadline,
// our own overhead from 10 µs on.
var (
	durationBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	firstByteBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	overheadBuckets  = []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .1}
)

// instruments are the metrics of the product. There is one set per process:
// Caddy makes a new registry for each configuration, and the same set
// registered in each of them is what keeps counters counting over reloads.
type instruments struct {
	sessions        *prometheus.CounterVec
	sessionDuration *prometheus.HistogramVec
	overhead        prometheus.Histogram
	attempts        *prometheus.CounterVec
	attemptDuration *prometheus.HistogramVec
	fallbacks       *prometheus.CounterVec
	retries         *prometheus.CounterVec
	transitions     *prometheus.CounterVec
	streams         *prometheus.CounterVec
	streamsInFlight *prometheus.GaugeVec
	firstByte       *prometheus.HistogramVec
	rateLimited     *prometheus.CounterVec
}

var metrics = newInstruments()

func newInstruments() *instruments {
	return &instruments{
		sessions: counter("sessions_total",
			"Session requests by route, provider that served and outcome.", "route", "served_by", "outcome"),
		sessionDuration: histogram("session_duration_seconds",
			"Time to answer a session request, providers included.", durationBuckets, "route", "served_by"),
		overhead: prometheus.NewHistogram(histogramOpts("overhead_seconds",
			"Time a session request spent in this module, without waiting for providers.", overheadBuckets)),
		attempts: counter("attempts_total",
			"Attempts by provider and result; skipped ones are counted under why they were.", "provider", "result"),
		attemptDuration: histogram("attempt_duration_seconds",
			"Time of one call to a provider.", durationBuckets, "provider"),
		fallbacks: counter("fallbacks_total",
			"Sessions served by another than the first provider, by the reason the first one did not.", "from", "to", "reason"),
		retries: counter("retries_total",
			"Attempts that asked the same provider once more.", "provider"),
		transitions: counter("breaker_transitions_total",
			"Changes of state of a provider's breaker.", "provider", "from", "to"),
		streams: counter("streams_total",
			"Streams, messages and WebSockets carried to a backend, by what became of them.", "kind", "outcome"),
		streamsInFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "streams_in_flight",
			Help: "Streams, messages and WebSockets being carried.",
		}, []string{"kind"}),
		firstByte: histogram("stream_first_byte_seconds",
			"Time until the header of a carried answer left for the client.", firstByteBuckets, "kind"),
		rateLimited: counter("rate_limited_total",
			"Session requests refused by a rate limit of our own, by whom it counts.", "scope"),
	}
}

const (
	namespace = "caddy"
	subsystem = "chatkit"
)

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: name, Help: help,
	}, labels)
}

func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace: namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
	}
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(histogramOpts(name, help, buckets), labels)
}

// collectors are the instruments as Prometheus sees them.
func (m *instruments) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.sessions, m.sessionDuration, m.overhead, m.attempts, m.attemptDuration,
		m.fallbacks, m.retries, m.transitions, m.streams, m.streamsInFlight, m.firstByte, m.rateLimited, gateCollector{},
	}
}

// exporter is the one collector that is registered. Before each scrape it sees
// to it that every series of the configuration that is live exists, at 0 if
// nothing has happened: a rejected configuration so leaves no trace.
type exporter struct{ *instruments }

// Describe implements [prometheus.Collector].
func (e exporter) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range e.collectors() {
		c.Describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (e exporter) Collect(ch chan<- prometheus.Metric) {
	liveHandlers.each(e.create)
	for _, c := range e.collectors() {
		c.Collect(ch)
	}
}

// register puts the instruments into the registry of a configuration; a second
// handler of the same configuration finds them there.
func register(r *prometheus.Registry) error {
	err := r.Register(exporter{metrics})
	if _, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return nil
	}
	return err
}
