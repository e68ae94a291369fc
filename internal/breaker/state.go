package breaker

// State is what a breaker does with calls. The words are those of the metric
// caddy_chatkit_breaker_state and of the logs.
type State string

// The states. The forced ones are set by an operator.
const (
	Closed       State = "closed"
	Open         State = "open"
	HalfOpen     State = "half_open"
	Ramping      State = "ramping" // closed again, and lets through a growing share
	ForcedOpen   State = "forced_open"
	ForcedClosed State = "forced_closed"
)

// States lists every state.
func States() []State {
	return []State{Closed, Open, HalfOpen, Ramping, ForcedOpen, ForcedClosed}
}

func (s State) forced() bool { return s == ForcedOpen || s == ForcedClosed }

// Changes lists every change of state, without reasons: those that a breaker
// makes by itself, and those that an operator makes.
func Changes() []Change {
	all := []Change{
		{From: Closed, To: Open}, {From: Open, To: HalfOpen},
		{From: HalfOpen, To: Open}, {From: HalfOpen, To: Closed},
		{From: HalfOpen, To: Ramping}, {From: Ramping, To: Open}, {From: Ramping, To: Closed},
	}
	for _, from := range States() {
		for _, to := range States() {
			if from != to && (from.forced() || to.forced()) {
				all = append(all, Change{From: from, To: to})
			}
		}
	}
	return all
}
