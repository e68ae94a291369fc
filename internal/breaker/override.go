package breaker

import (
	"sync"
	"sync/atomic"
	"time"
)

// Force is a state that an operator holds a provider's breakers in. Forced open,
// they let nothing through. Forced closed, they let everything through, also
// during a cooldown, and learn nothing from it.
type Force struct {
	// State is [ForcedOpen] or [ForcedClosed].
	State State

	// Until is when the breakers go back to what they know by themselves.
	Until time.Time

	// Reason is why, in the operator's words.
	Reason string

	// At is when the state was forced, By who did it.
	At time.Time
	By string
}

// Override is what an operator holds a provider's breakers in. One belongs to a
// provider's name at its site and outlives the breakers that a reload replaces: a breaker
// made under an override that is in force starts forced, and tells no change for
// it. It is safe for concurrent use.
//
// Breakers read force without the lock, each time they are used. Each compares
// it with the one it has followed so far, under its own lock, and so tells every
// change once, whether its own user or the override's is the first to see it.
type Override struct {
	force atomic.Pointer[Force] // may be over

	mu       sync.Mutex // taken before the lock of a breaker, never under it
	attached map[*Breaker]struct{}
	timer    *time.Timer // ends force, even where nobody uses the breakers
}

// NewOverride returns an override that is not in force.
func NewOverride() *Override {
	o := &Override{attached: make(map[*Breaker]struct{})}
	o.timer = time.AfterFunc(time.Hour, o.settle)
	o.timer.Stop()
	return o
}

// Force holds the breakers in a state, and replaces another one.
func (o *Override) Force(f Force) {
	o.force.Store(&f)
	o.settle()
}

// Release ends a forced state. Where there is none it does nothing.
func (o *Override) Release() {
	o.force.Store(nil)
	o.settle()
}

// Forced returns the forced state, nil where there is none or it is over.
func (o *Override) Forced() *Force { return o.at(time.Now()).clone() }

// Close stops the timer.
func (o *Override) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.timer.Stop()
}

// at returns what is in force at now, nil where nothing is.
func (o *Override) at(now time.Time) *Force {
	if o == nil {
		return nil
	}
	if f := o.force.Load(); f != nil && now.Before(f.Until) {
		return f
	}
	return nil
}

// settle lets all attached breakers follow the override, and sets the timer to
// do so again when its time is over.
func (o *Override) settle() {
	o.mu.Lock()
	now := time.Now()
	o.timer.Stop()
	if f := o.at(now); f != nil {
		o.timer.Reset(f.Until.Sub(now))
	}
	changes := make(map[*Breaker]news, len(o.attached))
	for b := range o.attached {
		b.lock()
		changes[b] = b.free()
	}
	o.mu.Unlock()
	for b, c := range changes {
		b.tell(c)
	}
}

func (o *Override) attach(b *Breaker) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	b.force = o.at(time.Now())
	o.attached[b] = struct{}{}
}

func (o *Override) detach(b *Breaker) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.attached, b)
}

// follow takes over what the override says now, and notes the change that it
// makes. The breaker's lock is held.
func (b *Breaker) follow(now time.Time) {
	f := b.override.at(now)
	if f == b.force {
		return
	}
	// Asking gobreaker may move it to half-open. That is a change of its own
	// before a forced state, but after one it is part of the change that ends it.
	c := Change{From: b.under(b.force, now), To: b.under(f, now)}
	if f != nil {
		c.Reason = f.Reason
	}
	b.force = f
	if c.From != c.To {
		b.note(now, c)
	}
}

// under returns the state that is seen under f, nil for none.
func (b *Breaker) under(f *Force, now time.Time) State {
	if f != nil {
		return f.State
	}
	return b.automatic(now)
}

func (f *Force) clone() *Force {
	if f == nil {
		return nil
	}
	c := *f
	return &c
}
