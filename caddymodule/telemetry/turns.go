package telemetry

import "time"

// The limits of turns, as a metric label.
const (
	LimitTurns    = "turns"
	LimitParallel = "parallel"
	LimitOwner    = "thread_owner"
)

// TurnBegun counts a turn as in flight.
func TurnBegun() { metrics.turnsInFlight.Inc() }

// TurnEnded counts a turn that is over, and whether it ended well while nobody read
// it.
func TurnEnded(end string, unread bool) {
	metrics.turnsInFlight.Dec()
	metrics.turns.WithLabelValues(end).Inc()
	if unread {
		metrics.turnsUnread.Inc()
	}
}

// TurnAttached counts a request that got a turn of an identical one.
func TurnAttached() { metrics.turnsAttached.Inc() }

// TurnRefused counts a turn that a limit does not allow.
func TurnRefused(limit string) { metrics.turnsRefused.WithLabelValues(limit).Inc() }

// FirstToken observes how long it took until a turn showed content.
func FirstToken(took time.Duration) { metrics.firstToken.Observe(took.Seconds()) }
