package telemetry

import "github.com/prometheus/client_golang/prometheus"

// standIns are the instruments of stand-ins, one set per process.
var standIns = struct {
	turns, tokens *prometheus.CounterVec
}{
	turns: counter("standin_turns_total",
		"Turns that stand-ins have answered because no backend could, by the module of the stand-in and how the answer ended.", "kind", "outcome"),
	tokens: counter("standin_tokens_total",
		"Tokens that the answers of stand-ins took, where their servers say so.", "kind", "direction"),
}

// What became of a stand-in's turn, as a metric label.
const (
	StandInOK         = "ok"
	StandInIncomplete = "incomplete" // cut by a limit or a filter
	StandInBroken     = "broken"     // broke off
	StandInCanceled   = "canceled"   // the client went away
	StandInFailed     = "failed"     // no stand-in had an answer; the kind is none
)

// StandInTurn counts a turn that a stand-in has answered.
func StandInTurn(kind, outcome string) { standIns.turns.WithLabelValues(kind, outcome).Inc() }

// StandInTokens counts what an answer took.
func StandInTokens(kind string, in, out int) {
	standIns.tokens.WithLabelValues(kind, "in").Add(float64(max(in, 0)))
	standIns.tokens.WithLabelValues(kind, "out").Add(float64(max(out, 0)))
}

// InitStandIns creates the series of stand-ins of these kinds.
func InitStandIns(kinds []string) {
	for _, kind := range kinds {
		for _, outcome := range []string{StandInOK, StandInIncomplete, StandInBroken, StandInCanceled} {
			standIns.turns.WithLabelValues(kind, outcome)
		}
		StandInTokens(kind, 0, 0)
	}
	standIns.turns.WithLabelValues(NoProvider, StandInFailed)
}
