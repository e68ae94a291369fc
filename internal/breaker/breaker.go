package breaker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Breaker is the circuit breaker of one provider. It is safe for concurrent use.
//
// One lock guards gobreaker and the breaker's own counters, so that the two
// never disagree. Nothing slow happens under it. Where both locks are needed,
// the override's is taken first.
type Breaker struct {
	set      Settings
	override *Override // nil: nobody can force it
	change   func(Change)
	closed   atomic.Bool // dropped from use: tells no more changes

	mu sync.Mutex
	cb *gobreaker.TwoStepCircuitBreaker[struct{}]

	// All below is guarded by mu.
	generation  int           // counts the state changes of cb
	cause       string        // why cb opens if it does so now
	consecutive int           // failures in a row, never decayed
	recent      window        // calls of the last Settings.Window
	nominal     time.Duration // current open time before jitter
	openUntil   time.Time
	coolUntil   time.Time
	force       *Force    // what it follows of its override
	since       time.Time // of the state that is seen
	pending     []Change  // to be told once the lock is free
}

// Change is a change of state.
type Change struct {
	From, To State

	// Reason is why: the reason of the attempt that opened the breaker, "slow"
	// where slow calls did, or the operator's words for a forced state. It is
	// empty for every other change.
	Reason string
}

// New returns a breaker that is closed, or forced where o, which may be nil, is
// in force. change, which may be nil, is called after every later change of
// state, on the goroutine that was the first to see it and outside of any lock.
func New(set Settings, o *Override, change func(Change)) *Breaker {
	now := time.Now()
	b := &Breaker{set: set, override: o, change: change, recent: newWindow(set.Window, now), since: now}
	b.cb = b.newGobreaker()
	o.attach(b)
	return b
}

// Close takes the breaker out of use: it tells no more changes. Calls that are
// under way may still be allowed and give their permits back.
func (b *Breaker) Close() {
	b.closed.Store(true)
	b.override.detach(b)
}

// Allow asks for a permit. Where it is given, done must be called exactly once,
// however the call ends, with the verdict on it and how long it took: a permit
// that is never given back keeps a half-open breaker from ever closing. Where
// it is refused, done is nil and reason says why.
func (b *Breaker) Allow(who session.Caller, life time.Duration) (done func(session.Verdict, time.Duration), reason session.Reason) {
	now := b.lock()
	defer b.unlock()
	switch {
	case b.force != nil && b.force.State == ForcedOpen:
		return nil, session.ForcedOpen
	case b.force != nil:
		return b.doneForced, session.OK
	case now.Before(b.openUntil):
		return nil, session.Open
	case now.Before(b.coolUntil):
		return nil, session.Cooldown
	}
	report, err := b.cb.Allow()
	if err != nil {
		return nil, session.Open
	}
	generation := b.generation
	return func(v session.Verdict, took time.Duration) {
		b.done(generation, report, v, took)
	}, session.OK
}

// done takes back a permit of the given generation.
func (b *Breaker) done(generation int, report func(error), v session.Verdict, took time.Duration) {
	now := b.lock()
	defer b.unlock()
	b.coolDown(now, v.Cooldown)
	if generation != b.generation {
		return // a late result
	}
	if v.Effect == session.Excluded {
		report(errExcluded)
		return
	}
	failed := v.Effect == session.Failed
	slow := b.set.Slow > 0 && took >= b.set.Slow
	b.count(now, failed, slow)
	// A slow call fails where slow calls open the breaker: a slow probe must
	// not close it.
	switch {
	case failed:
		b.cause = string(v.Reason)
		report(errFailed)
	case slow:
		b.cause = causeSlow
		report(errFailed)
	default:
		report(nil)
	}
}

// doneForced takes back a permit of a breaker that was forced closed. Such a
// call does not count, but a cooldown the provider asked for does.
func (b *Breaker) doneForced(v session.Verdict, _ time.Duration) {
	now := b.lock()
	defer b.unlock()
	b.coolDown(now, v.Cooldown)
}

// coolDown keeps the provider out for d. It extends a cooldown and never
// shortens it.
func (b *Breaker) coolDown(now time.Time, d time.Duration) {
	if until := now.Add(d); until.After(b.coolUntil) {
		b.coolUntil = until
	}
}

// count keeps the breaker's own counters.
func (b *Breaker) count(now time.Time, failed, slow bool) {
	if failed {
		b.consecutive++
	} else {
		b.consecutive = 0
	}
	b.recent.add(now, failed, slow)
}

// lock takes the lock, and follows the override to where it stands now.
func (b *Breaker) lock() (now time.Time) {
	b.mu.Lock()
	now = time.Now()
	b.follow(now)
	return now
}

// note keeps a change of the state that is seen, to be told later.
func (b *Breaker) note(now time.Time, c Change) {
	b.pending = append(b.pending, c)
	b.since = now
}

// unlock frees the lock, then tells the changes made under it.
func (b *Breaker) unlock() { b.tell(b.free()) }

// free frees the lock and returns the changes made under it.
func (b *Breaker) free() []Change {
	changes := b.pending
	b.pending = nil
	b.mu.Unlock()
	return changes
}

// tell calls the callback. No lock may be held.
func (b *Breaker) tell(changes []Change) {
	if b.change == nil {
		return
	}
	for _, c := range changes {
		if !b.closed.Load() {
			b.change(c)
		}
	}
}
