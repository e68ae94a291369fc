package sandbox

import (
	"net"
	"net/http"
	"sync"
)

// connections are the open connections that the server's net/http manages.
type connections struct {
	busy *sync.WaitGroup // one for each open connection
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// follow is the server's ConnState hook. It forgets a hijacked connection, which
// the handler that took it closes at once.
func (c *connections) follow(conn net.Conn, st http.ConnState) {
	switch st {
	case http.StateNew:
		c.busy.Add(1)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open == nil {
			c.open = make(map[net.Conn]struct{})
		}
		c.open[conn] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		delete(c.open, conn)
		c.mu.Unlock()
		c.busy.Done()
	default: // active or idle: still open
	}
}

// resetAll closes every open connection with RST.
func (c *connections) resetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		reset(conn)
	}
}

// reset closes conn with RST instead of FIN: with SO_LINGER 0 the kernel drops
// unsent data.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only if the connection is already closed
	}
	_ = conn.Close()
}
