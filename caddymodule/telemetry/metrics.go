package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Outcome is what became of a session request, as a metric label.
type Outcome string

// The outcomes of session requests.
const (
	OutcomeOK       Outcome = "ok"       // the first provider served
	OutcomeFallback Outcome = "fallback" // a later one did
	OutcomeRejected Outcome = "rejected" // a provider refused the caller
	OutcomeFailed   Outcome = "failed"   // every provider failed
	OutcomeRefused  Outcome = "refused"  // we refused: no user, bad body, …
	OutcomeCanceled Outcome = "canceled" // the client went away
)

// CarriedOutcome is what became of a carried request, as a metric label.
type CarriedOutcome string

// The outcomes of carried requests.
const (
	CarriedOK       CarriedOutcome = "ok"
	CarriedCut      CarriedOutcome = "cut"      // the backend broke off
	CarriedCanceled CarriedOutcome = "canceled" // the client went away
	CarriedIdle     CarriedOutcome = "idle"     // the backend paused too long
	CarriedFailed   CarriedOutcome = "failed"   // no backend took it
	CarriedRefused  CarriedOutcome = "refused"  // by us; for the access log only
)

// NoProvider stands for "no provider" in metrics and logs.
const NoProvider = "none"

// resultOK is the result of an attempt that gave a session.
const resultOK = "ok"

// Result returns a reason as a metric label and log field.
func Result(r session.Reason) string {
	if r == session.OK {
		return resultOK
	}
	return string(r)
}

// SessionAnswered counts a session request. total is the time it took, upstream
// the part of it spent waiting for providers.
func SessionAnswered(ctx context.Context, route, servedBy string, o Outcome, total, upstream time.Duration) {
	metrics.sessions.WithLabelValues(route, servedBy, string(o)).Inc()
	observe(ctx, metrics.sessionDuration.WithLabelValues(route, servedBy), total)
	observe(ctx, metrics.overhead, total-upstream)
}

// Attempted counts a call to a provider.
func Attempted(ctx context.Context, provider string, r session.Reason, took time.Duration) {
	metrics.attempts.WithLabelValues(provider, Result(r)).Inc()
	observe(ctx, metrics.attemptDuration.WithLabelValues(provider), took)
}

// Skipped counts a provider that was not asked.
func Skipped(provider string, r session.Reason) {
	metrics.attempts.WithLabelValues(provider, Result(r)).Inc()
}

// Refused counts an error answer of ours.
func Refused(route, code string) { metrics.refused.WithLabelValues(route, code).Inc() }

// Retried counts an attempt that asks the same provider once more.
func Retried(provider string) { metrics.retries.WithLabelValues(provider).Inc() }

// FellBack counts a session that another provider than the first one served.
func FellBack(first, servedBy string, r session.Reason) {
	metrics.fallbacks.WithLabelValues(first, servedBy, string(r)).Inc()
}

// BreakerChanged counts a change of a breaker's state.
func BreakerChanged(provider string, c breaker.Change) {
	metrics.transitions.WithLabelValues(provider, string(c.From), string(c.To)).Inc()
}

// CarryBegins counts a carried request as in flight until ends is called with
// what became of it.
func CarryBegins(kind string) (ends func(CarriedOutcome)) {
	inFlight := metrics.carriedInFlight.WithLabelValues(kind)
	inFlight.Inc()
	return func(o CarriedOutcome) {
		inFlight.Dec()
		if o == CarriedRefused { // it was not carried
			return
		}
		metrics.carried.WithLabelValues(kind, string(o)).Inc()
	}
}

// FirstByte observes how long it took until a carried answer began.
func FirstByte(ctx context.Context, kind string, took time.Duration) {
	observe(ctx, metrics.firstByte.WithLabelValues(kind), took)
}

// RateLimited counts a session request refused by a rate limit of our own.
func RateLimited(scope string) { metrics.rateLimited.WithLabelValues(scope).Inc() }

// buffered returns how much memory kept bodies take.
var buffered = func() int64 { return 0 }

// CountBuffered says where that is counted. It is called once, when the program
// starts.
func CountBuffered(count func() int64) { buffered = count }

// instruments are the metrics of the product. There is one set per process: Caddy
// makes a new registry for each configuration, and the same set in each of them
// keeps counters counting over reloads.
type instruments struct {
	sessions        *prometheus.CounterVec
	sessionDuration *prometheus.HistogramVec
	overhead        prometheus.Histogram
	attempts        *prometheus.CounterVec
	attemptDuration *prometheus.HistogramVec
	fallbacks       *prometheus.CounterVec
	retries         *prometheus.CounterVec
	transitions     *prometheus.CounterVec
	carried         *prometheus.CounterVec
	carriedInFlight *prometheus.GaugeVec
	firstByte       *prometheus.HistogramVec
	rateLimited     *prometheus.CounterVec
	buffered        prometheus.GaugeFunc
	refused         *prometheus.CounterVec
	build           prometheus.Collector
}

var metrics = newInstruments()

// Buckets, in seconds: whole requests and attempts from 1 ms up to the deadline,
// our own overhead from 10 µs on.
var (
	durationBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	firstByteBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	overheadBuckets  = []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .1}
)

func newInstruments() *instruments {
	return &instruments{
		sessions: counter("sessions_total",
			"Session requests by route, provider that served and outcome.", "route", "served_by", "outcome"),
		sessionDuration: histogram("session_duration_seconds",
			"Time to answer a session request, including providers.", durationBuckets, "route", "served_by"),
		overhead: prometheus.NewHistogram(histogramOpts("overhead_seconds",
			"Time a session request spent in this module, without waiting for providers.", overheadBuckets)),
		attempts: counter("attempts_total",
			"Attempts by provider and result. A skipped provider counts under the reason it was skipped.", "provider", "result"),
		attemptDuration: histogram("attempt_duration_seconds",
			"Time of one call to a provider.", durationBuckets, "provider"),
		fallbacks: counter("fallbacks_total",
			"Sessions served by a provider other than the first, by why the first did not serve.", "from", "to", "reason"),
		retries: counter("retries_total",
			"Attempts that asked the same provider again.", "provider"),
		transitions: counter("breaker_transitions_total",
			"State changes of a provider's breaker.", "provider", "from", "to"),
		carried: counter("streams_total",
			"Streams, messages and WebSockets carried to a backend, by how they ended.", "kind", "outcome"),
		carriedInFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: Namespace, Subsystem: Subsystem, Name: "streams_in_flight",
			Help: "Streams, messages and WebSockets being carried.",
		}, []string{"kind"}),
		firstByte: histogram("stream_first_byte_seconds",
			"Time until the first byte of a carried answer left for the client.", firstByteBuckets, "kind"),
		rateLimited: counter("rate_limited_total",
			"Session requests refused by a rate limit of the configuration, by scope.", "scope"),
		buffered: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: Namespace, Subsystem: Subsystem, Name: "buffered_bytes",
			Help: "Memory that the request bodies take that are kept for failover.",
		}, func() float64 { return float64(buffered()) }),
		refused: counter("refused_total",
			"Requests answered with an error of this module, by route and the code in the answer, in lower case.", "route", "code"),
		build: newBuildInfo(),
	}
}

// What the names of the metrics begin with.
const (
	Namespace = "caddy"
	Subsystem = "chatkit"
)

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: name, Help: help,
	}, labels)
}

// Collectors returns the metrics as Prometheus sees them.
func Collectors() []prometheus.Collector {
	m := metrics
	return []prometheus.Collector{
		m.sessions, m.sessionDuration, m.overhead, m.attempts, m.attemptDuration, m.fallbacks,
		m.retries, m.transitions, m.carried, m.carriedInFlight, m.firstByte, m.rateLimited, m.buffered, m.refused,
		m.build, protection.checks, protection.drills,
		shared.up, shared.events, shared.lookups, shared.lag,
		turns.ended, turns.inFlight, turns.attached, turns.unread, turns.refused, turns.firstToken,
		hedges.hedges, hedges.orphans,
		standIns.turns, standIns.tokens,
	}
}
