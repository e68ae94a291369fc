package exchange

import (
	"slices"
	"sync"
	"time"
)

// sweep is how often connections that wait are looked at, at most.
const sweep = 15 * time.Second

// pool holds the connections that wait for a request, by where they lead. The last
// one is the one used last.
type pool struct {
	mu     sync.Mutex
	idle   map[place][]*conn
	timer  *time.Timer // runs while connections wait
	closed bool
}

// get takes a connection that lives, nil if there is none.
func (p *pool) get(where place) *conn {
	for {
		p.mu.Lock()
		waiting := p.idle[where]
		if len(waiting) == 0 {
			p.mu.Unlock()
			return nil
		}
		c := waiting[len(waiting)-1]
		p.idle[where] = waiting[:len(waiting)-1]
		p.mu.Unlock()
		if !c.expired() && c.alive() {
			c.used = true
			return c
		}
		_ = c.Close()
	}
}

// put keeps a connection for the next request.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle[c.where]) >= c.t.MaxIdle {
		_ = c.Close()
		return
	}
	if c.t.IdleTimeout > 0 {
		c.idle = time.Now()
	}
	if p.idle == nil {
		p.idle = make(map[place][]*conn)
	}
	p.idle[c.where] = append(p.idle[c.where], c)
	if p.timer == nil {
		p.timer = time.AfterFunc(sweep, p.sweep)
	}
}

// sweep closes connections that have waited too long, and those that the server has
// closed.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	for where, waiting := range p.idle {
		p.idle[where] = slices.DeleteFunc(waiting, func(c *conn) bool {
			if !c.expired() && c.alive() {
				return false
			}
			_ = c.Close()
			return true
		})
		if len(p.idle[where]) == 0 {
			delete(p.idle, where)
		}
	}
	if len(p.idle) == 0 {
		p.timer = nil
		return
	}
	p.timer.Reset(sweep)
}

// close closes all that wait, and keeps none from now on.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for _, waiting := range p.idle {
		for _, c := range waiting {
			_ = c.Close()
		}
	}
	p.idle = nil
}

// expired reports whether a connection has waited too long.
func (c *conn) expired() bool {
	return c.t.IdleTimeout > 0 && time.Since(c.idle) > c.t.IdleTimeout
}
