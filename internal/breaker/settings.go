package breaker

import (
	"fmt"
	"time"
)

// Settings configure a [Breaker]. A zero value turns a rule off and is an error
// in the other fields: start from [Defaults].
type Settings struct {
	// Consecutive failures that open the breaker. 0: the rule is off.
	Consecutive int

	// Ratio of failures among the calls of the last Window that opens the
	// breaker, 0 to 1, once there are at least MinCalls of them. 0: off.
	Ratio    float64
	MinCalls int
	Window   time.Duration

	// Slow is how long a call may take before it counts as slow, SlowRatio the
	// ratio of slow calls in the window that opens the breaker. 0: off.
	Slow      time.Duration
	SlowRatio float64

	// Open is the first open time, give or take [Jitter]. Each failed probe
	// doubles it, up to MaxOpen.
	Open    time.Duration
	MaxOpen time.Duration

	// Probes is how many calls get through a half-open breaker. All of them
	// must succeed to close it.
	Probes int

	// Health is how often the provider is asked for its health until the breaker is
	// closed again: no call gets through before it was found healthy. 0: never.
	Health time.Duration

	// Ramp is how long it takes after that until all calls get through. 0: none.
	Ramp time.Duration
}

// minWindow gives each bucket of the window at least a millisecond.
const minWindow = buckets * time.Millisecond

// minHealth is the shortest time between two checks of health.
const minHealth = 100 * time.Millisecond

// Defaults returns the settings of a breaker that nobody configured.
func Defaults() Settings {
	return Settings{
		Consecutive: 5,
		Ratio:       0.5, MinCalls: 20, Window: 10 * time.Second,
		Open: 15 * time.Second, MaxOpen: 2 * time.Minute,
		Probes: 1,
	}
}

// Check returns an error that names the first invalid field.
func (s Settings) Check() error {
	switch {
	case s.Consecutive < 0:
		return fmt.Errorf("consecutive: %d is negative", s.Consecutive)
	case s.Ratio < 0 || s.Ratio > 1:
		return fmt.Errorf("ratio: %.6g%% is not between 0%% and 100%%", s.Ratio*100)
	case (s.Ratio > 0 || s.SlowRatio > 0) && s.MinCalls < 1:
		return fmt.Errorf("ratio: %d calls are too few (minimum 1)", s.MinCalls)
	case (s.Ratio > 0 || s.SlowRatio > 0) && s.Window < minWindow:
		return fmt.Errorf("ratio: window %s is too short (minimum %s)", s.Window, minWindow)
	case s.Slow < 0:
		return fmt.Errorf("slow: %s is negative", s.Slow)
	case s.SlowRatio < 0 || s.SlowRatio > 1:
		return fmt.Errorf("slow: %.6g%% is not between 0%% and 100%%", s.SlowRatio*100)
	case (s.Slow > 0) != (s.SlowRatio > 0):
		return fmt.Errorf("slow: got %s and %.6g%% (want both above 0)", s.Slow, s.SlowRatio*100)
	case s.Open <= 0:
		return fmt.Errorf("open: invalid duration %s (want above 0)", s.Open)
	case s.MaxOpen < s.Open:
		return fmt.Errorf("open: maximum %s is shorter than the first open time, %s", s.MaxOpen, s.Open)
	case s.Probes < 1:
		return fmt.Errorf("probes: %d is too low (minimum 1)", s.Probes)
	case s.Health < 0 || s.Health > 0 && s.Health < minHealth:
		return fmt.Errorf("health: interval %s is too short (minimum %s)", s.Health, minHealth)
	case s.Ramp < 0:
		return fmt.Errorf("ramp: %s is negative", s.Ramp)
	}
	return nil
}
