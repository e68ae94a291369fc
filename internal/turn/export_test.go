package turn

// NewSmall returns a set of turns with another limit of memory.
func NewSmall(total int64) *Turns { return newTurns(total) }

// Memory returns how much memory a client's turn has.
func (c *Client) Memory() int {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.tape.size()
}
