package hedge

import (
	"sync"
	"time"
)

// The cap: one hedge for this many requests, in the last ten seconds.
const (
	perHedge = 10
	window   = 10 // slots
	slot     = time.Second
)

// share bounds the hedges to a part of the requests. Requests are counted over a bit
// less than the window and hedges over a bit more, so that slots never let more pass
// than the window allows. The zero value is ready for use.
type share struct {
	mu    sync.Mutex
	last  int64 // number of the newest slot
	slots [window + 1]struct{ requests, hedges int }
}

func (s *share) asked(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(now)
	s.slots[s.last%int64(len(s.slots))].requests++
}

func (s *share) take(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(now)
	requests, hedges := s.sum()
	if (hedges+1)*perHedge > requests {
		return false
	}
	s.slots[s.last%int64(len(s.slots))].hedges++
	return true
}

// now returns the share for operators, over all slots.
func (s *share) now(now time.Time) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(now)
	var requests, hedges int
	for _, one := range s.slots {
		requests, hedges = requests+one.requests, hedges+one.hedges
	}
	if requests == 0 {
		return 0
	}
	return float64(hedges) / float64(requests)
}

// sum counts for the cap.
func (s *share) sum() (requests, hedges int) {
	oldest := (s.last + 1) % int64(len(s.slots))
	for i, one := range s.slots {
		hedges += one.hedges
		if int64(i) != oldest {
			requests += one.requests
		}
	}
	return requests, hedges
}

// roll drops the slots that are over.
func (s *share) roll(now time.Time) {
	n := now.UnixNano() / int64(slot)
	if n-s.last >= int64(len(s.slots)) || n < s.last { // or the clock was set back
		s.last = n
		clear(s.slots[:])
		return
	}
	for s.last < n {
		s.last++
		s.slots[s.last%int64(len(s.slots))] = struct{ requests, hedges int }{}
	}
}
