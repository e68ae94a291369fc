package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// turns are the instruments of turns, one set per process.
var turns = struct {
	ended, refused   *prometheus.CounterVec
	inFlight         prometheus.Gauge
	attached, unread prometheus.Counter
	firstToken       prometheus.Histogram
}{
	ended:   counter("turns_total", "Turns of the chatkit route that are over, by how they ended.", "end"),
	refused: counter("turns_refused_total", "Turns that were not begun, by the limit that they were over.", "limit"),
	inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: "turns_in_flight",
		Help: "Turns that run, with or without a client that reads them.",
	}),
	attached: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: "turns_attached_total",
		Help: "Requests that were answered with a turn that an identical request had begun.",
	}),
	unread: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: "turns_unread_total",
		Help: "Turns that ended well while no client read them.",
	}),
	firstToken: prometheus.NewHistogram(histogramOpts("turn_first_token_seconds",
		"Time from when a turn began until its first frame with content.", []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120})),
}

// The limits of turns, as a metric label.
const (
	LimitTurns    = "turns"
	LimitParallel = "parallel"
	LimitOwner    = "thread_owner"

	// Those of all carried requests.
	LimitRate       = "rate_limit"
	LimitMaxStreams = "max_streams"
)

// TurnBegun counts a turn as in flight.
func TurnBegun() { turns.inFlight.Inc() }

// TurnEnded counts a turn that is over, and whether it ended well while nobody read
// it.
func TurnEnded(end string, unread bool) {
	turns.inFlight.Dec()
	turns.ended.WithLabelValues(end).Inc()
	if unread {
		turns.unread.Inc()
	}
}

// TurnAttached counts a request that got a turn of an identical one.
func TurnAttached() { turns.attached.Inc() }

// TurnRefused counts a turn that a limit does not allow.
func TurnRefused(limit string) { turns.refused.WithLabelValues(limit).Inc() }

// FirstToken observes how long it took until a turn showed content.
func FirstToken(ctx context.Context, took time.Duration) { observe(ctx, turns.firstToken, took) }
