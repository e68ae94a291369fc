package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
)

// hedges are the instruments of hedged requests and of sessions that nobody got, one set
// per process.
var hedges = struct{ hedges, orphans *prometheus.CounterVec }{
	hedges: counter("hedges_total",
		"Session requests for which another provider was asked as well, by the provider that took long and by result. "+
			"capped: it was not asked, because of the limit of a tenth. refused: counted beside won.", "provider", "result"),
	orphans: counter("orphan_sessions_total",
		"Sessions that a provider made and nobody got, by what became of them.", "provider", "result"),
}

// Hedged counts a hedge of a provider's request.
func Hedged(provider string, r hedge.Result) {
	hedges.hedges.WithLabelValues(provider, string(r)).Inc()
}

// Orphaned counts a session of a provider that nobody got.
func Orphaned(provider string, r orphan.Result) {
	hedges.orphans.WithLabelValues(provider, string(r)).Inc()
}

// initHedges creates the series of a provider.
func initHedges(provider string) {
	for _, r := range hedge.Results() {
		hedges.hedges.WithLabelValues(provider, string(r))
	}
	for _, r := range orphan.Results() {
		hedges.orphans.WithLabelValues(provider, string(r))
	}
}
