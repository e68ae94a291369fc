package breaker

import "time"

// Health is what a provider has said about itself.
type Health uint8

// What a check of health can find.
const (
	// Unhealthy providers do not work, or did not answer.
	Unhealthy Health = iota
	// Healthy providers work.
	Healthy
	// Unclear is an answer that says nothing, such as 404: the check is wrong, and
	// the provider may well work.
	Unclear
)

// heard takes in what a check has found. next is when the next one is due.
func (b *Breaker) heard(h Health, next time.Time) {
	b.lock()
	defer b.unlock()
	b.checkAt = next
	switch {
	case h != Unhealthy:
		b.gated = false // a check that is wrong must not shut the provider out for ever
	case b.opened:
		b.gated = true
	case b.half && len(b.probes.underWay) == 0:
		b.failProbe()
	}
}

// failProbe opens a half-open breaker again, as a call that fails does.
func (b *Breaker) failProbe() {
	report, err := b.cb.Allow()
	if err != nil {
		return // its probes are over, and all but the last have succeeded
	}
	b.cause = causeHealth
	report(errFailed)
}

// asksHealth reports whether the provider's health is of interest, and whether it may
// be asked now: while an operator holds the breaker nobody asks, nor while the
// provider wants to be left alone.
func (b *Breaker) asksHealth() (now, later bool) {
	at := b.lock()
	defer b.unlock()
	s := b.under(b.force, at)
	later = s == Open || s == HalfOpen
	return later && !at.Before(b.coolUntil), later
}
