package turn

import (
	"errors"
	"maps"
	"slices"
)

// MaxAlone is how many turns of a caller go on at a route with nobody reading them. Without a
// bound one caller could hold any number of a backend's streams by asking and leaving.
const MaxAlone = 100

// ErrAlone is the error of a turn that nobody reads and whose caller has begun many
// others since.
var ErrAlone = errors.New("the client has left, and so many other turns of the caller")

// boundAlone cancels the oldest turns of a caller that nobody reads, if there are too
// many.
func (s *Turns) boundAlone(who *Asker) {
	s.mu.Lock()
	if who.Caller == "" || len(s.of[who.Caller]) <= MaxAlone {
		s.mu.Unlock()
		return
	}
	turns := slices.Collect(maps.Keys(s.of[who.Caller]))
	s.mu.Unlock()
	turns = slices.DeleteFunc(turns, func(t *Turn) bool { return t.r.Scope != who.Scope || !t.alone() })
	if len(turns) <= MaxAlone {
		return
	}
	slices.SortFunc(turns, func(a, b *Turn) int { return a.began.Compare(b.began) })
	for _, t := range turns[:len(turns)-MaxAlone] {
		t.abandon()
	}
}

// alone reports whether the turn runs, and nobody reads it.
func (t *Turn) alone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.over && len(t.clients) == 0
}

// abandon cancels the turn if nobody reads it.
func (t *Turn) abandon() {
	t.mu.Lock()
	defer t.unlock()
	if !t.over && len(t.clients) == 0 {
		t.finish(Canceled, ErrAlone)
	}
}
