package telemetry

import (
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Whom a rate limit counts, as a metric label.
const (
	ScopeUser = "user"
	ScopeIP   = "ip"
)

// The Init functions create every series that can ever be counted, at 0, so that
// rates and alerts work before the first event.

// InitRateLimits creates the series of rate limits.
func InitRateLimits() {
	for _, scope := range []string{ScopeUser, ScopeIP} {
		metrics.rateLimited.WithLabelValues(scope)
	}
}

// InitRefused creates the series of the error answers of a route.
func InitRefused(route string, codes []string) {
	for _, code := range codes {
		metrics.refused.WithLabelValues(route, code)
	}
}

// InitProvider creates the series of a provider.
func InitProvider(name string) {
	metrics.attempts.WithLabelValues(name, resultOK)
	for _, r := range session.Reasons() {
		metrics.attempts.WithLabelValues(name, string(r))
	}
	metrics.attemptDuration.WithLabelValues(name)
	metrics.retries.WithLabelValues(name)
	for _, c := range breaker.Changes() {
		metrics.transitions.WithLabelValues(name, string(c.From), string(c.To))
	}
}

// InitSessions creates the series of a session route with these providers. Any of
// them can come first: a refresh asks the issuer before others.
func InitSessions(route string, providers []string) {
	for _, o := range []Outcome{OutcomeRefused, OutcomeFailed, OutcomeCanceled} {
		metrics.sessions.WithLabelValues(route, NoProvider, string(o))
	}
	metrics.sessionDuration.WithLabelValues(route, NoProvider)
	for _, to := range providers {
		for _, o := range []Outcome{OutcomeOK, OutcomeFallback, OutcomeRejected} {
			metrics.sessions.WithLabelValues(route, to, string(o))
		}
		metrics.sessionDuration.WithLabelValues(route, to)
		for _, from := range providers {
			initFallbacks(from, to)
		}
	}
}

func initFallbacks(from, to string) {
	if from == to {
		return
	}
	for _, r := range session.Reasons() {
		if r.MovesOn() {
			metrics.fallbacks.WithLabelValues(from, to, string(r))
		}
	}
}

// InitCarried creates the series of a kind of carried request.
func InitCarried(kind string) {
	for _, o := range []CarriedOutcome{CarriedOK, CarriedCut, CarriedCanceled, CarriedIdle, CarriedFailed} {
		metrics.carried.WithLabelValues(kind, string(o))
	}
	metrics.carriedInFlight.WithLabelValues(kind)
	metrics.firstByte.WithLabelValues(kind)
}

// InitTurns creates the series of turns, with the ends that there are.
func InitTurns(ends []string) {
	for _, end := range ends {
		turns.ended.WithLabelValues(end)
	}
	for _, limit := range []string{LimitTurns, LimitParallel, LimitOwner, LimitRate, LimitMaxStreams} {
		turns.refused.WithLabelValues(limit)
	}
}
