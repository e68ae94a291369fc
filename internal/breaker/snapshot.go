package breaker

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// State returns the state at this moment. The step from open to half-open
// happens by itself when the open time is over, and is seen here too.
func (b *Breaker) State() State {
	now := b.lock()
	defer b.unlock()
	return b.under(b.force, now)
}

// Closed reports whether the breaker is closed, by itself or forced, so that it
// lets through more than probes, if only a share in a ramp. It says nothing about a
// cooldown.
func (b *Breaker) Closed() bool {
	s := b.State()
	return s == Closed || s == Ramping || s == ForcedClosed
}

// Peek returns what Insist would say to who now, without a permit: what a ramp lets
// through is decided with each permit. probe reports that the permit would be one of
// the half-open breaker's.
func (b *Breaker) Peek(who session.Caller) (reason session.Reason, probe bool) {
	now := b.lock()
	defer b.unlock()
	switch {
	case b.force != nil && b.force.State == ForcedOpen:
		return session.ForcedOpen, false
	case b.force != nil:
		return session.OK, false
	case b.shut(now):
		return session.Open, false
	case now.Before(b.coolUntil):
		return session.Cooldown, false
	case b.automatic(now) != HalfOpen:
		return session.OK, false
	case b.mayProbe(who, now) && b.probesLeft():
		return session.OK, true
	}
	return session.Open, false
}

// automatic returns the state that the calls have led to.
func (b *Breaker) automatic(now time.Time) State {
	if b.shut(now) {
		return Open
	}
	s := stateOf(b.cb.State())
	if s == Closed && b.ramp.runs() {
		return Ramping
	}
	return s
}

// shut reports whether the breaker is open by itself: its open time is not over, or
// the provider was not found healthy yet.
func (b *Breaker) shut(now time.Time) bool { return b.gated || now.Before(b.openUntil) }

// shutUntil returns when a call may get through at the earliest: after the next check
// of health, where that has to come first.
func (b *Breaker) shutUntil() time.Time {
	if b.gated && b.checkAt.After(b.openUntil) {
		return b.checkAt
	}
	return b.openUntil
}

// OpenUntil returns when the open time of an open breaker is over, forced or
// not, and the zero time for any other state.
func (b *Breaker) OpenUntil() time.Time {
	now := b.lock()
	defer b.unlock()
	return b.opensAt(now)
}

func (b *Breaker) opensAt(now time.Time) time.Time {
	switch {
	case b.force != nil && b.force.State == ForcedOpen:
		return b.force.Until
	case b.force == nil && b.shut(now):
		return b.shutUntil()
	}
	return time.Time{}
}

// RetryIn returns how long it is until a call may be allowed again, 0 where
// nothing is known to stand in its way now, or only a probe that is under way.
func (b *Breaker) RetryIn() time.Duration {
	now := b.lock()
	defer b.unlock()
	if b.force != nil {
		return max(b.opensAt(now).Sub(now), 0)
	}
	wait := max(b.shutUntil().Sub(now), b.coolUntil.Sub(now), 0)
	if b.gated {
		wait = max(wait, minHealth) // the check is under way
	}
	return wait
}

// Snapshot is a breaker at one moment.
type Snapshot struct {
	State State

	// Since is when the breaker got into its state.
	Since time.Time

	// OpenUntil is the result of [Breaker.OpenUntil].
	OpenUntil time.Time

	// CoolUntil is the end of a cooldown, the zero time where there is none.
	CoolUntil time.Time

	// Consecutive counts the failures in a row, whoever's they are; Calls, Failed
	// and Slow count the calls of the window. All are 0 while the breaker is not
	// closed.
	Consecutive, Calls, Failed, Slow int

	// Unchecked reports that nothing gets through before the provider was found
	// healthy.
	Unchecked bool

	// Share is the part of the calls that get through in a ramp, 0 where there is
	// none, RampUntil its end.
	Share     float64
	RampUntil time.Time

	// Forced is the state that an operator holds the breaker in, or nil.
	Forced *Force
}

// Snapshot returns all there is to see of the breaker.
func (b *Breaker) Snapshot() Snapshot {
	now := b.lock()
	defer b.unlock()
	s := Snapshot{State: b.under(b.force, now), OpenUntil: b.opensAt(now), Consecutive: b.counts.inARow(), Forced: b.force.clone()}
	s.Since = b.since // read after the state: asking for it may change it
	if now.Before(b.coolUntil) {
		s.CoolUntil = b.coolUntil
	}
	s.Unchecked = b.gated && s.State == Open
	if s.State == Ramping {
		s.Share, s.RampUntil = b.ramp.share(now), b.ramp.end()
	}
	t := b.counts.window.sum(now)
	s.Calls, s.Failed, s.Slow = t.calls, t.failed, t.slow
	return s
}
