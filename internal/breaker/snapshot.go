package breaker

import "time"

// State returns the state at this moment. The step from open to half-open
// happens by itself when the open time is over, and is seen here too.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.unlock()
	return g.state(time.Now())
}

// state is what an operator sees.
func (g *Gate) state(now time.Time) State {
	if f := g.held(now); f != nil {
		return f.State
	}
	return g.automatic(now)
}

// automatic is what the calls have made of the gate.
func (g *Gate) automatic(now time.Time) State {
	if now.Before(g.openUntil) {
		return Open
	}
	return stateOf(g.cb.State())
}

// OpenUntil returns when the open time of an open gate is over, forced or not,
// and the zero time for any other state.
func (g *Gate) OpenUntil() time.Time {
	g.mu.Lock()
	defer g.unlock()
	return g.opensAt(time.Now())
}

func (g *Gate) opensAt(now time.Time) time.Time {
	switch f := g.held(now); {
	case f != nil && f.State == ForcedOpen:
		return f.Until
	case f == nil && now.Before(g.openUntil):
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
	if f := g.held(now); f != nil {
		return max(g.opensAt(now).Sub(now), 0)
	}
	return max(g.openUntil.Sub(now), g.coolUntil.Sub(now), 0)
}

// Snapshot is a gate at one moment.
type Snapshot struct {
	State State

	// Since is when the gate got into its state.
	Since time.Time

	// OpenUntil is as [Gate.OpenUntil] has it.
	OpenUntil time.Time

	// CoolUntil is the end of a cooldown, the zero time where there is none.
	CoolUntil time.Time

	// Consecutive counts the failures in a row; Calls, Failed and Slow the
	// calls of the window.
	Consecutive, Calls, Failed, Slow int

	// Forced is the state an operator holds the gate in, or nil.
	Forced *Force
}

// Look returns all there is to see of the gate.
func (g *Gate) Look() Snapshot {
	g.mu.Lock()
	defer g.unlock()
	now := time.Now()
	s := Snapshot{State: g.state(now), Since: g.since, OpenUntil: g.opensAt(now), Consecutive: g.consecutive}
	if now.Before(g.coolUntil) {
		s.CoolUntil = g.coolUntil
	}
	t := g.recent.sum(now)
	s.Calls, s.Failed, s.Slow = t.calls, t.failed, t.slow
	if g.force != nil {
		f := *g.force
		s.Forced = &f
	}
	return s
}
