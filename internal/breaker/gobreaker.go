package breaker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Jitter is how far an open time strays from its nominal length, as a ratio,
// so that many instances do not probe a recovering provider at one moment.
const Jitter = 0.1

// causeSlow is the reason of a change that slow calls caused.
const causeSlow = "slow"

// causeHealth is the reason of a change that a check of health caused.
const causeHealth = "health"

// What gobreaker hears about a call that did not succeed.
var (
	errFailed   = errors.New("call failed")
	errExcluded = errors.New("call says nothing about the provider")
)

// newGobreaker returns the state machine: it knows closed, open and half-open,
// and counts the probes. All other decisions are the breaker's own. Five things
// have to be known about how the two fit together:
//
// Locks. gobreaker has a lock of its own and calls moved under it.
// It is only ever called with the breaker's lock held, so the callbacks may use
// the breaker's fields, but must not call gobreaker again: that would deadlock.
//
// Probes. A half-open gobreaker opens on one failure. A failure that its caller alone
// may have caused is reported as excluded instead, which gives the probe back.
//
// Clocks. gobreaker's open time is fixed, ours grows and has jitter. So openUntil
// alone decides, and gobreaker is not asked before it is over. Its own open time
// is the shortest there is, so that it is never the later one. gobreaker leaves
// the open state when it is asked, not by itself.
//
// Late results. A permit belongs to the generation, the span between two changes
// of state, in which it was given. done drops the result of a call that outlived
// it. gobreaker would ignore that too, but reporting it could move gobreaker to
// half-open early, since its open time is shorter.
//
// Causes. gobreaker's callbacks do not say which call they are about. done is
// the only caller that can open it, and sets cause before.
func (b *Breaker) newGobreaker() *gobreaker.TwoStepCircuitBreaker[struct{}] {
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   uint32(b.set.Probes), //nolint:gosec // Check has it above 0, and nobody sets it above 4 billion
		Timeout:       1,
		ReadyToTrip:   func(gobreaker.Counts) bool { return b.trips },
		OnStateChange: func(_ string, from, to gobreaker.State) { b.moved(stateOf(from), stateOf(to)) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errExcluded) },
	})
}

// moved notes a change of gobreaker's state. Nobody sees it while the breaker
// is forced.
func (b *Breaker) moved(from, to State) {
	now := time.Now()
	b.generation++
	b.opened, b.half = to == Open, to == HalfOpen
	b.counts.clear(now)
	b.probes = probes{asked: now}
	c := Change{From: from, To: to}
	switch to {
	case Open:
		if b.ramp.runs() {
			c.From = Ramping
		}
		b.nominal = b.nextOpen(c.From)
		b.openUntil = now.Add(jittered(b.nominal))
		b.gated, b.ramp = b.checker != nil, ramp{}
		c.Reason = b.cause
	case Closed:
		b.gated = false
		if b.set.Ramp > 0 {
			b.ramp, c.To = ramp{from: now, length: b.set.Ramp}, Ramping
		} else {
			b.nominal = 0
		}
	default:
	}
	b.share(now, to)
	if b.force == nil {
		b.note(now, c)
	}
}

// nextOpen returns how long to stay open: the first open time after calls
// failed, twice the last one after a probe failed, or calls of a ramp.
func (b *Breaker) nextOpen(from State) time.Duration {
	if from == Closed || b.nominal == 0 {
		return b.set.Open
	}
	return min(2*b.nominal, b.set.MaxOpen)
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - Jitter + 2*Jitter*rand.Float64())) //nolint:gosec // spreads load, protects no secret
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
