package outage

import (
	"sync"
	"time"
)

// Settled is how long nothing may have failed until an answer that is no turn proves
// that the backends are back. Lists come from a database that may well live while
// what answers turns is dead.
const Settled = 10 * time.Second

// State knows since when the backends of a route answer again. It is safe for
// concurrent use.
type State struct {
	mu     sync.Mutex
	turn   time.Time // a backend last answered a turn
	other  time.Time // or anything else, when nothing had failed for a while
	failed time.Time // a request last went to a stand-in
}

// Answered notes that a backend has answered, and whether it was a turn.
func (s *State) Answered(turn bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case turn:
		s.turn = now
	case now.Sub(s.failed) >= Settled:
		s.other = now
	}
}

// Failed notes that no backend has answered.
func (s *State) Failed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = time.Now()
}

// Back reports whether a backend has answered since then.
func (s *State) Back(since time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turn.After(since) || s.other.After(since)
}
