package turn

import "slices"

// attach makes c a client of the turn, unless it is over or not kept. It reports
// whether it did.
func (t *Turn) attach(c *Client) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.tape.keep || t.over && (t.lingers == nil || t.arrived()) {
		return false
	}
	c.t = t
	t.clients = append(t.clients, c)
	t.stay()
	return true
}

// passes reports whether the answer goes to the client that asked as it is.
func (t *Turn) passes() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end == Passed
}

// read reports whether the turn runs and somebody reads it.
func (t *Turn) read() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.over && len(t.clients) > 0
}

// waits reports whether the turn is over and waits for a client.
func (t *Turn) waits() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lingers != nil
}

// remove removes a client and reports whether it was the turn's.
func (t *Turn) remove(c *Client) bool {
	i := slices.Index(t.clients, c)
	if i < 0 {
		return false
	}
	t.clients = slices.Delete(t.clients, i, i+1)
	t.trim()
	return true
}

// trim drops what all clients have read.
func (t *Turn) trim() {
	to := t.tape.end
	for _, c := range t.clients {
		to = min(to, c.pos)
	}
	t.tape.trim(to)
}
