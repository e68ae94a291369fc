package tally

import (
	"sync"
	"time"
)

// The windows that a [Summary] looks at, and how far back states are kept.
const (
	Short = time.Minute
	Long  = 5 * time.Minute
	Past  = time.Hour
)

// Tally is the recent past of one provider. It is safe for concurrent use.
type Tally struct {
	begun time.Time

	mu      sync.Mutex
	ring    ring
	health  Health
	moments []Moment // oldest first
}

// Health is whether the provider works.
type Health struct {
	// FailingSince is the first failure after the latest success, the zero time
	// if there was none.
	FailingSince time.Time

	// LastSuccess is when it last answered with success, the zero time if never.
	LastSuccess time.Time

	// LastError is the text of the latest failure.
	LastError string
}

// Moment is a change of the breaker's state.
type Moment struct {
	State string
	At    time.Time
}

// New returns a tally that has seen nothing.
func New() *Tally { return &Tally{begun: time.Now()} }

// Works counts an attempt that did not fail. served reports whether it gave an
// answer, and not a refusal of the caller.
func (t *Tally) Works(served bool, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.ring.at(now).attempt(took)
	t.health.FailingSince = time.Time{}
	if served {
		t.health.LastSuccess = now
	}
}

// Fails counts an attempt that failed. text says why.
func (t *Tally) Fails(text string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.ring.at(now).attempt(took)
	t.health.LastError = text
	if t.health.FailingSince.IsZero() {
		t.health.FailingSince = now
	}
}

// Answered counts a request that a client got an answer to, on a route that has
// the provider. served reports whether it was this provider's answer.
func (t *Tally) Answered(served bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.ring.at(time.Now())
	b.answered++
	if served {
		b.served++
	}
}

// Summary is what a window of time amounts to.
type Summary struct {
	// Rate is the number of answers that the provider gave, per second.
	Rate float64

	// Share is the part of the answered requests that the provider served, from 0
	// to 1. It is valid if Answered is above 0.
	Share    float64
	Answered int

	// Latency is the mean time of an attempt. It is valid if Attempts is above 0.
	Latency  time.Duration
	Attempts int
}

// Over returns the summary of the last window, at most [Long].
func (t *Tally) Over(window time.Duration) Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	sum := t.ring.sum(now, window)
	s := Summary{Answered: int(sum.answered), Attempts: int(sum.attempts)}
	// A provider that is younger than the window has had less time.
	span := max(min(window, now.Sub(t.begun)), time.Second)
	s.Rate = float64(sum.served) / span.Seconds()
	if sum.answered > 0 {
		s.Share = float64(sum.served) / float64(sum.answered)
	}
	if sum.attempts > 0 {
		s.Latency = sum.took / time.Duration(sum.attempts)
	}
	return s
}

// Health returns whether the provider works.
func (t *Tally) Health() Health {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.health
}
