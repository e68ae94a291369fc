package breaker

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Fleet is the other instances of the product that ask the same provider. What they
// know is advice: a breaker adopts it, and works without.
type Fleet interface {
	// Tell tells them what the breaker has found out. It must not wait.
	Tell(f Fact)

	// Probe reports whether this instance may probe, where one of all may, for life.
	// It may wait for a short time, and must say yes where nobody answers.
	Probe(life time.Duration) bool

	// Free gives that right back after a probe that has told nothing.
	Free()
}

// FactKind is what a [Fact] is about.
type FactKind string

// The kinds.
const (
	FactOpened FactKind = "open"
	FactClosed FactKind = "closed"
	FactCooled FactKind = "cooldown"
)

// Fact is what a breaker has found out about the provider.
type Fact struct {
	Kind   FactKind
	Left   time.Duration // how long it holds
	Reason string        // of the breaker's change

	// Nominal is the open time before jitter: the next one is twice as long.
	Nominal time.Duration
}

// maxCooldown bounds a cooldown that is adopted. No provider is heeded for longer.
const maxCooldown = time.Minute

// shared is what a breaker shares with a fleet. The breaker's lock guards it.
//
// What one caller alone has brought about is not shared. An instance that knows no
// other caller goes by it, but the others have callers of their own.
type shared struct {
	fleet    Fleet // nil for none
	private  bool  // the change that is under way is not for others
	adopting bool  // it comes from others
	facts    []Fact
	freed    bool

	// Until when what this breaker has found out itself keeps calls out.
	open, cool time.Time
	reason     string
}

// Join connects the breaker to a fleet, or disconnects it where f is nil.
func (b *Breaker) Join(f Fleet) {
	b.lock()
	defer b.unlock()
	b.shared.fleet = f
}

// Found returns what the breaker has found out itself and still goes by.
func (b *Breaker) Found() (facts []Fact) {
	now := b.lock()
	defer b.unlock()
	if s := &b.shared; now.Before(s.open) && s.open.Equal(b.openUntil) {
		facts = append(facts, Fact{Kind: FactOpened, Left: s.open.Sub(now), Reason: s.reason, Nominal: b.nominal})
	}
	if s := &b.shared; now.Before(s.cool) && s.cool.Equal(b.coolUntil) {
		facts = append(facts, Fact{Kind: FactCooled, Left: s.cool.Sub(now)})
	}
	return facts
}

// Adopt takes over what another breaker has found out. Of two times the later one
// wins.
func (b *Breaker) Adopt(f Fact) {
	now := b.lock()
	defer b.unlock()
	b.shared.adopting = true
	defer func() { b.shared.adopting = false }()
	switch f.Kind {
	case FactOpened:
		b.adoptOpen(now, f)
	case FactClosed:
		b.adoptClosed(now)
	case FactCooled:
		if until := now.Add(min(f.Left, maxCooldown)); until.After(b.coolUntil) {
			b.coolUntil = until
		}
	}
}

func (b *Breaker) adoptOpen(now time.Time, f Fact) {
	if f.Left <= 0 {
		return
	}
	until := now.Add(min(f.Left, time.Duration(float64(b.set.MaxOpen)*(1+Jitter))))
	if b.automatic(now) == Open {
		if until.After(b.openUntil) {
			b.openUntil, b.nominal = until, b.bounded(f.Nominal)
		}
		return
	}
	report, err := b.cb.Allow()
	if err != nil {
		if len(b.probes.underWay) == 0 {
			return
		}
		report = b.probes.underWay[0].report
	}
	b.cause, b.trips = f.Reason, true
	report(errFailed)
	b.trips = false
	b.openUntil, b.nominal = until, b.bounded(f.Nominal)
}

// bounded returns an open time of another instance as one that this could have.
func (b *Breaker) bounded(nominal time.Duration) time.Duration {
	return min(max(nominal, b.set.Open), b.set.MaxOpen)
}

// adoptClosed closes the breaker, by way of half-open as always.
func (b *Breaker) adoptClosed(now time.Time) {
	if b.automatic(now) == Open {
		b.openUntil = now
	}
	if b.automatic(now) != HalfOpen {
		return
	}
	for _, p := range b.probes.underWay {
		p.over = true
		if b.half {
			p.report(nil)
		}
	}
	for b.half {
		report, err := b.cb.Allow()
		if err != nil {
			return
		}
		report(nil)
	}
}

// lease reports whether who may go on to ask for a permit: if that would be a probe,
// this instance has to be the one of the fleet that probes. leased says that it is.
// The lock is not held while others are asked.
func (b *Breaker) lease(who session.Caller, life time.Duration) (ok, leased bool) {
	now := b.lock()
	f := b.shared.fleet
	asks := f != nil && b.force == nil && !now.Before(b.openUntil) && !now.Before(b.coolUntil) &&
		b.automatic(now) == HalfOpen && b.mayProbe(who, now) && b.probesLeft()
	b.unlock()
	if !asks {
		return true, false
	}
	return f.Probe(life), true
}

// share notes a change of gobreaker's state for the fleet. Its lock is held.
func (b *Breaker) share(now time.Time, to State) {
	s := &b.shared
	if to == Open {
		s.open = time.Time{}
	}
	switch {
	case s.fleet == nil || s.adopting:
	case to == Open && s.private:
		s.freed = true // the probe has told the others nothing
	case to == Open:
		s.open, s.reason = b.openUntil, b.cause
		s.facts = append(s.facts, Fact{Kind: FactOpened, Left: b.openUntil.Sub(now), Reason: b.cause, Nominal: b.nominal})
	case to == Closed:
		s.facts = append(s.facts, Fact{Kind: FactClosed})
	}
}

// shareCooldown notes a cooldown for the fleet.
func (b *Breaker) shareCooldown(now time.Time) {
	if s := &b.shared; s.fleet != nil {
		s.cool = b.coolUntil
		s.facts = append(s.facts, Fact{Kind: FactCooled, Left: b.coolUntil.Sub(now)})
	}
}

// news is what has happened under the lock, to be told once it is free.
type news struct {
	changes []Change
	facts   []Fact
	freed   bool
	fleet   Fleet
}

// collect returns the news, and forgets them.
func (b *Breaker) collect() news {
	s := &b.shared
	n := news{b.pending, s.facts, s.freed, s.fleet}
	b.pending, s.facts, s.freed = nil, nil, false
	return n
}

// tell tells the fleet. The breaker's lock is not held.
func (n *news) tell() {
	if n.fleet == nil {
		return
	}
	for _, f := range n.facts {
		n.fleet.Tell(f)
	}
	if n.freed {
		n.fleet.Free()
	}
}
