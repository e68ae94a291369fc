package turn

// Kept returns how much memory the turns keep, in bytes.
func (s *Turns) Kept() int64 { return s.budget.used.Load() }

// Len returns the number of turns, and of those that are over and wait for a
// client.
func (s *Turns) Len() (all, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, turns := range s.of {
		for t := range turns {
			all++
			if t.waits() {
				waiting++
			}
		}
	}
	return all, waiting
}

// Close ends all turns with an error event, and returns when nothing runs any more.
// No turn begins after it.
func (s *Turns) Close() {
	s.mu.Lock()
	s.closed = true
	var turns []*Turn
	for _, of := range s.of {
		for t := range of {
			turns = append(turns, t)
		}
	}
	s.mu.Unlock()
	for _, t := range turns {
		t.drain()
	}
	s.running.Wait()
}
