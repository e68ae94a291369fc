package turn

import "time"

// Arrive is how long a turn that a client has read to its end is kept at least, where
// the transport can say whether the end has arrived. It is more than a round trip.
const Arrive = time.Second

// readAll notes that the client has read everything. Who asks once more after that
// wants another answer. But what was written to a connection whose other side is gone
// counts as read, too, so the turn is kept until its end has arrived.
func (c *Client) readAll() {
	c.read = true
	t := c.t
	if t.lingers == nil {
		return
	}
	if c.arrived == nil {
		t.stopLingering()
		return
	}
	t.arrivals = append(t.arrivals, c.arrived)
	time.AfterFunc(Arrive, func() {
		t.mu.Lock()
		defer t.unlock()
		if t.arrived() {
			t.stopLingering()
		}
	})
}

// arrived reports whether the end of the turn has arrived at a client.
func (t *Turn) arrived() bool {
	for _, arrived := range t.arrivals {
		if arrived() {
			return true
		}
	}
	return false
}
