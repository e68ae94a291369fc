package breaker

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Force is a state an operator holds a gate in.
type Force struct {
	// State is [ForcedOpen] or [ForcedClosed].
	State State

	// Until is when the gate goes back to what it knows by itself.
	Until time.Time

	// Reason is why, in the operator's words.
	Reason string
}

// Force holds the gate in a state, whatever its calls say, in place of another
// it may be held in. Forced open, it lets nothing through; forced closed, it lets
// everything through, also during a cooldown, and learns nothing from it.
func (g *Gate) Force(f Force) {
	g.mu.Lock()
	defer g.unlock()
	now := time.Now()
	from := g.state(now)
	if g.timer != nil {
		g.timer.Stop()
	}
	g.force = &f
	g.timer = time.AfterFunc(f.Until.Sub(now), g.expire)
	if from != f.State {
		g.tell(Change{From: from, To: f.State})
	}
}

// Release ends a forced state. It tells whether there was one.
func (g *Gate) Release() bool {
	g.mu.Lock()
	defer g.unlock()
	if g.held(time.Now()) == nil {
		return false
	}
	g.release()
	return true
}

// Forced is the state an operator holds the gate in, nil where nobody does.
func (g *Gate) Forced() *Force {
	g.mu.Lock()
	defer g.unlock()
	if f := g.held(time.Now()); f != nil {
		c := *f
		return &c
	}
	return nil
}

// expire ends a forced state on time, even if nobody looks.
func (g *Gate) expire() {
	g.mu.Lock()
	defer g.unlock()
	g.held(time.Now())
}

// held is the forced state, which ends here when its time is over.
func (g *Gate) held(now time.Time) *Force {
	if g.force != nil && !now.Before(g.force.Until) {
		g.release()
	}
	return g.force
}

// release goes back to what the gate knows by itself.
func (g *Gate) release() {
	from := g.force.State
	g.timer.Stop()
	g.force, g.timer = nil, nil
	// Looking at it may move it on; that is one change, and told as one.
	told := len(g.pending)
	to := g.automatic(time.Now())
	g.pending = append(g.pending[:told], Change{From: from, To: to})
	g.since = time.Now()
}

// forcedCall is the permit of a gate that is forced closed.
func forcedCall(session.Effect, time.Duration) {}
