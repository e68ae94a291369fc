package breaker

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Jitter is how far an open time strays from its nominal length, as a ratio,
// so that many instances do not probe a recovering provider at one moment.
const Jitter = 0.1

// What a permit tells gobreaker.
var (
	errFailed   = errors.New("call failed")
	errExcluded = errors.New("call says nothing about the provider")
)

// Gate is the breaker of one provider. It is safe for concurrent use.
//
// One lock stands around gobreaker and the gate's own counters, so that the two
// never disagree; gobreaker's own lock is only ever taken inside it. Nothing
// slow happens under it.
type Gate struct {
	set    Settings
	change func(Change)

	mu sync.Mutex
	cb *gobreaker.TwoStepCircuitBreaker[struct{}]

	// All below is guarded by mu.
	generation  int           // counts state changes; late results are told by it
	consecutive int           // failures in a row, never decayed
	recent      window        // calls of the last Settings.Window
	nominal     time.Duration // current open time before jitter
	openUntil   time.Time
	coolUntil   time.Time
	pending     []Change // to be told once the lock is free
	since       time.Time
	force       *Force      // nil: the gate goes by its calls
	timer       *time.Timer // ends force
}

// Change is a change of state.
type Change struct{ From, To State }

// New returns a closed gate. change, which may be nil, is called after every
// change of state, on the goroutine that caused it and outside of any lock.
func New(set Settings, change func(Change)) *Gate {
	g := &Gate{set: set, change: change, recent: newWindow(set.Window, time.Now()), since: time.Now()}
	g.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: uint32(set.Probes), //nolint:gosec // Check has it above 0, no operator has it above 4 billion
		// The shortest open time jitter can give: the gate itself holds calls
		// back for the rest, so gobreaker must never be the later one.
		Timeout:       time.Duration(float64(set.Open) * (1 - Jitter)),
		ReadyToTrip:   func(gobreaker.Counts) bool { return g.tripped() },
		OnStateChange: func(_ string, from, to gobreaker.State) { g.moved(stateOf(from), stateOf(to)) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errExcluded) },
	})
	return g
}

// Allow asks for a permit. Where it is given, done is to be called exactly
// once, whatever happens to the call, with what the call told and how long it
// took; a permit that is never given back would keep a half-open breaker shut
// for ever. Where it is refused, done is nil and the reason says why.
func (g *Gate) Allow() (done func(session.Effect, time.Duration), reason session.Reason) {
	g.mu.Lock()
	defer g.unlock()
	now := time.Now()
	if f := g.held(now); f != nil {
		if f.State == ForcedOpen {
			return nil, session.ForcedOpen
		}
		return forcedCall, session.OK
	}
	if now.Before(g.openUntil) {
		return nil, session.Open
	}
	if now.Before(g.coolUntil) {
		return nil, session.Cooldown
	}
	report, err := g.cb.Allow()
	if err != nil {
		return nil, session.Open
	}
	generation := g.generation
	return func(effect session.Effect, took time.Duration) {
		g.done(generation, report, effect, took)
	}, session.OK
}

// done takes a permit back.
func (g *Gate) done(generation int, report func(error), effect session.Effect, took time.Duration) {
	g.mu.Lock()
	defer g.unlock()
	// A late result is of no account to gobreaker either, but would wake it: its
	// open time is over before the gate's is.
	if generation != g.generation {
		return
	}
	if effect == session.Excluded {
		report(errExcluded)
		return
	}
	failed := effect == session.Failed
	slow := g.set.Slow > 0 && took >= g.set.Slow
	g.count(failed, slow)
	// A slow call fails where slow calls are what opens the breaker: a probe
	// that crawls must not close it.
	if failed || slow {
		report(errFailed)
		return
	}
	report(nil)
}

// count keeps the gate's own counters.
func (g *Gate) count(failed, slow bool) {
	if failed {
		g.consecutive++
	} else {
		g.consecutive = 0
	}
	g.recent.add(time.Now(), failed, slow)
}

// tripped is asked by gobreaker, under the lock, after each failed or slow call
// while closed.
func (g *Gate) tripped() bool {
	if g.set.Consecutive > 0 && g.consecutive >= g.set.Consecutive {
		return true
	}
	t := g.recent.sum(time.Now())
	if t.calls < g.set.MinCalls {
		return false
	}
	calls := float64(t.calls)
	return (g.set.Ratio > 0 && float64(t.failed) >= g.set.Ratio*calls) ||
		(g.set.SlowRatio > 0 && float64(t.slow) >= g.set.SlowRatio*calls)
}

// moved is called by gobreaker, under the lock, on each change of state.
func (g *Gate) moved(from, to State) {
	now := time.Now()
	g.generation++
	g.consecutive = 0
	g.recent.clear(now)
	switch to {
	case Open:
		g.nominal = g.nextOpen(from)
		g.openUntil = now.Add(jittered(g.nominal))
	case Closed:
		g.nominal = 0
	default:
	}
	if g.force == nil {
		g.tell(Change{From: from, To: to})
	}
}

// tell notes a change of the state that is seen.
func (g *Gate) tell(c Change) {
	g.pending = append(g.pending, c)
	g.since = time.Now()
}

// nextOpen is how long to stay open: the first open time when calls failed,
// twice the last one when a probe did.
func (g *Gate) nextOpen(from State) time.Duration {
	if from != HalfOpen || g.nominal == 0 {
		return g.set.Open
	}
	return min(2*g.nominal, g.set.MaxOpen)
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - Jitter + 2*Jitter*rand.Float64())) //nolint:gosec // spreads load, keeps no secret
}

// CoolDown keeps the provider out for d from now on. It extends a cooldown
// that is under way and never shortens it.
func (g *Gate) CoolDown(d time.Duration) {
	g.mu.Lock()
	defer g.unlock()
	if until := time.Now().Add(d); until.After(g.coolUntil) {
		g.coolUntil = until
	}
}

// unlock frees the lock and tells the changes made under it.
func (g *Gate) unlock() {
	changes := g.pending
	g.pending = nil
	g.mu.Unlock()
	if g.change == nil {
		return
	}
	for _, c := range changes {
		g.change(c)
	}
}
