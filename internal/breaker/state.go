package breaker

import "github.com/sony/gobreaker/v2"

// State is what a breaker does with calls. The words are those of the metric
// caddy_chatkit_breaker_state and of the logs.
type State string

// The states. The forced ones are set by an operator.
const (
	Closed       State = "closed"
	Open         State = "open"
	HalfOpen     State = "half_open"
	ForcedOpen   State = "forced_open"
	ForcedClosed State = "forced_closed"
)

// States lists every state.
func States() []State {
	return []State{Closed, Open, HalfOpen, ForcedOpen, ForcedClosed}
}

// Changes lists every change of state: those a breaker makes by itself, and
// those an operator makes.
func Changes() []Change {
	return []Change{
		{Closed, Open}, {Open, HalfOpen}, {HalfOpen, Open}, {HalfOpen, Closed},
		{Closed, ForcedOpen}, {Open, ForcedOpen}, {HalfOpen, ForcedOpen}, {ForcedClosed, ForcedOpen},
		{Closed, ForcedClosed}, {Open, ForcedClosed}, {HalfOpen, ForcedClosed}, {ForcedOpen, ForcedClosed},
		{ForcedOpen, Closed}, {ForcedOpen, Open}, {ForcedOpen, HalfOpen},
		{ForcedClosed, Closed}, {ForcedClosed, Open}, {ForcedClosed, HalfOpen},
	}
}

func stateOf(s gobreaker.State) State {
	switch s {
	case gobreaker.StateOpen:
		return Open
	case gobreaker.StateHalfOpen:
		return HalfOpen
	default:
		return Closed
	}
}
