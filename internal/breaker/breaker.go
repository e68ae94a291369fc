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
	checker  *checker    // nil: nobody asks for the provider's health

	mu sync.Mutex
	cb *gobreaker.TwoStepCircuitBreaker[struct{}]

	// All below is guarded by mu.
	generation int    // counts the state changes of cb
	opened     bool   // cb is open
	half       bool   // cb is half-open
	trips      bool   // cb must open: its callback asks
	cause      string // why cb opens if it does so now
	counts     counts
	probes     probes
	nominal    time.Duration // current open time before jitter
	openUntil  time.Time
	gated      bool      // nothing gets through before the provider was found healthy
	checkAt    time.Time // when it is asked again
	ramp       ramp
	coolUntil  time.Time
	asked      crowd     // who asked for a permit
	told       crowd     // who was told to come back later
	force      *Force    // what it follows of its override
	since      time.Time // of the state that is seen
	pending    []Change  // to be told once the lock is free
	shared     shared
}

// Change is a change of state.
type Change struct {
	From, To State

	// Reason is why: the reason of the attempt that opened the breaker, "slow"
	// where slow calls did, "health" where a check of health did, or the operator's
	// words for a forced state. It is empty for every other change.
	Reason string
}

// New returns a breaker that is closed, or forced where o, which may be nil, is
// in force. change, which may be nil, is called after every later change of
// state, on the goroutine that was the first to see it and outside of any lock.
func New(set Settings, o *Override, change func(Change)) *Breaker {
	now := time.Now()
	b := &Breaker{set: set, override: o, change: change, counts: newCounts(set.Window, now), since: now}
	b.cb = b.newGobreaker()
	if set.Health > 0 {
		b.checker = &checker{b: b}
	}
	o.attach(b)
	return b
}

// Close takes the breaker out of use: it tells no more changes. Calls that are
// under way may still be allowed and give their permits back.
func (b *Breaker) Close() {
	b.closed.Store(true)
	b.override.detach(b)
}

// Saw notes that who is there, although it asks another provider: whoever alone asks
// this one, as the only one for whom all before it fail, is not alone.
func (b *Breaker) Saw(who session.Caller) {
	b.asked.add(who, b.lock())
	b.unlock()
}

// Done gives a permit back. It must be called exactly once, however the call ends,
// with the verdict on it and how long it took, 0 for a call that cannot be slow.
type Done = func(v session.Verdict, took time.Duration)

// Allow asks for a permit for who. A half-open breaker takes its probe back when life
// (0: never) is over, and ignores a done that comes later. Where the permit is refused,
// done is nil and reason says why.
func (b *Breaker) Allow(who session.Caller, life time.Duration) (done Done, reason session.Reason) {
	return b.allow(who, life, false)
}

// Insist is Allow for a call that has nowhere else to go: a ramp does not refuse it.
func (b *Breaker) Insist(who session.Caller, life time.Duration) (done Done, reason session.Reason) {
	return b.allow(who, life, true)
}

func (b *Breaker) allow(who session.Caller, life time.Duration, insist bool) (done Done, reason session.Reason) {
	mayProbe, leased := b.lease(who, life)
	now := b.lock()
	defer b.unlock()
	b.asked.add(who, now)
	switch {
	case b.force != nil && b.force.State == ForcedOpen:
		return nil, session.ForcedOpen
	case b.force != nil:
		return func(v session.Verdict, _ time.Duration) { b.doneForced(who, v) }, session.OK
	case b.shut(now):
		return nil, session.Open
	case now.Before(b.coolUntil):
		return nil, session.Cooldown
	case b.ramp.runs() && !insist && !b.ramp.passes(now):
		return nil, session.Ramp
	}
	if b.shared.fleet != nil && b.automatic(now) == HalfOpen && (!leased || !mayProbe) {
		return nil, session.Open // another instance probes
	}
	report, err := b.cb.Allow()
	if b.half {
		return b.allowProbe(who, life, now, report)
	}
	if err != nil {
		return nil, session.Open
	}
	generation := b.generation
	return func(v session.Verdict, took time.Duration) {
		b.done(generation, report, who, v, took)
	}, session.OK
}

// done takes back a permit of the given generation, in which the breaker was closed.
func (b *Breaker) done(generation int, report func(error), who session.Caller, v session.Verdict, took time.Duration) {
	now := b.lock()
	defer b.unlock()
	b.coolDown(now, who, v)
	if generation != b.generation {
		return // a late result
	}
	if v.Effect == session.Excluded {
		report(errExcluded)
		return
	}
	c := b.judge(v, took)
	b.counts.add(now, who, c)
	if !c.bad() {
		report(nil)
		return
	}
	b.cause = c.reason
	trips, slow := b.counts.trip(b.rules(), now, b.alone(who, now))
	if slow {
		b.cause = causeSlow
	}
	convinces, _ := b.counts.trip(&b.set, now, false)
	b.trips, b.shared.private = trips, !convinces
	report(errFailed)
	b.trips = false
}

// judge says what a call that is not excluded counts as.
func (b *Breaker) judge(v session.Verdict, took time.Duration) call {
	c := call{failed: v.Effect == session.Failed, slow: b.set.Slow > 0 && took >= b.set.Slow}
	c.unreached = c.failed && v.Reason.NoConnection()
	if c.failed {
		c.reason = string(v.Reason)
	} else if c.slow {
		c.reason = causeSlow
	}
	return c
}

// doneForced takes back a permit of a breaker that was forced closed. Such a
// call does not count, but a cooldown the provider asked for does.
func (b *Breaker) doneForced(who session.Caller, v session.Verdict) {
	now := b.lock()
	defer b.unlock()
	b.coolDown(now, who, v)
}

// lonely is how long nobody else may have asked, so that one caller alone decides.
const lonely = time.Minute

// alone reports whether nobody but who has asked for a permit lately. What happens
// to who is all that is known of the provider then.
func (b *Breaker) alone(who session.Caller, now time.Time) bool {
	return now.Sub(b.asked.others(who)) > lonely
}

// together is how close the limits that two callers meet have to be, to be one limit
// for all.
const together = 10 * time.Second

// coolDown keeps the provider out for as long as it asked for. It extends a cooldown
// and never shortens it. What one of many callers is told may be about this caller.
func (b *Breaker) coolDown(now time.Time, who session.Caller, v session.Verdict) {
	if v.Cooldown <= 0 {
		return
	}
	b.told.add(who, now)
	several := v.KeyLimit || now.Sub(b.told.others(who)) <= together
	if !several && !b.alone(who, now) {
		return
	}
	if until := now.Add(v.Cooldown); until.After(b.coolUntil) {
		b.coolUntil = until
		if several {
			b.shareCooldown(now)
		}
	}
}

// lock takes the lock, follows the override to where it stands now, and takes back
// the probes whose life is over.
func (b *Breaker) lock() (now time.Time) {
	b.mu.Lock()
	now = time.Now()
	b.climb(now) // first: a forced state replaces the state that is reached now
	b.follow(now)
	b.takeBack(now)
	return now
}

// note keeps a change of the state that is seen, to be told later.
func (b *Breaker) note(now time.Time, c Change) {
	b.pending = append(b.pending, c)
	b.since = now
}

// unlock frees the lock, then tells the changes made under it.
func (b *Breaker) unlock() { b.tell(b.free()) }

// free frees the lock and returns what has happened under it.
func (b *Breaker) free() news {
	n := b.collect()
	b.mu.Unlock()
	return n
}

// tell calls the callback and tells the fleet. No lock may be held.
func (b *Breaker) tell(n news) {
	n.tell()
	for _, c := range n.changes {
		if b.change != nil && !b.closed.Load() {
			b.change(c)
		}
		if c.To == Open || c.To == HalfOpen {
			b.checker.wake()
		}
	}
}
