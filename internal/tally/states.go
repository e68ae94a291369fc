package tally

import (
	"slices"
	"time"
)

// maxMoments bounds the changes of state that are kept. A breaker that opens for
// the shortest default time and fails each probe makes half as many in an hour.
const maxMoments = 1000

// Begin notes the state of a breaker that is new.
func (t *Tally) Begin(state string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.moments) == 0 {
		t.moments = append(t.moments, Moment{State: state, At: t.begun})
	}
}

// Changed notes a change of the breaker's state.
func (t *Tally) Changed(state string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moments = append(t.recent(time.Now()), Moment{State: state, At: time.Now()})
	if extra := len(t.moments) - maxMoments; extra > 0 {
		t.moments = slices.Delete(t.moments, 0, extra)
	}
}

// States returns the changes of state in the last hour, oldest first. The first
// one is the state that the hour began in.
func (t *Tally) States() []Moment {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moments = t.recent(time.Now())
	return slices.Clone(t.moments)
}

// recent drops the states that were over before the last hour.
func (t *Tally) recent(now time.Time) []Moment {
	begin := now.Add(-Past)
	for len(t.moments) > 1 && !t.moments[1].At.After(begin) {
		t.moments = slices.Delete(t.moments, 0, 1)
	}
	return t.moments
}
