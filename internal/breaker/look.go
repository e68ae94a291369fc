package breaker

import "time"

// State returns the state at this moment. The step from open to half-open
// happens by itself when the open time is over, and is seen here too.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.unlock()
	if time.Now().Before(g.openUntil) {
		return Open
	}
	return stateOf(g.cb.State())
}

// OpenUntil returns when the open time of an open gate is over, and the zero
// time for any other state.
func (g *Gate) OpenUntil() time.Time {
	g.mu.Lock()
	defer g.unlock()
	if time.Now().Before(g.openUntil) {
		return g.openUntil
	}
	return time.Time{}
}

// RetryIn returns how long it is until a call may be allowed again, 0 where
// nothing is known to stand against one now.
func (g *Gate) RetryIn() time.Duration {
	g.mu.Lock()
	defer g.unlock()
	now := time.Now()
	return max(g.openUntil.Sub(now), g.coolUntil.Sub(now), 0)
}
