package sandbox

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections are the open connections of a server that net/http looks after.
type connections struct {
	busy *sync.WaitGroup // one for each open connection
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// follow is the server's ConnState hook. A hijacked connection is no longer
// ours to reset: the handler that took it closes it at once.
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
	default: // active or idle, it stays ours
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

// reset closes conn with RST in place of FIN: with SO_LINGER 0 the kernel drops
// what is unsent.
func reset(conn net.Conn) {
	conn = transport(conn)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only on a connection that is closed already
	}
	_ = conn.Close()
}

// transport is the connection below TLS. Closing that one sends no close_notify,
// which would make a cut look like an orderly end.
func transport(conn net.Conn) net.Conn {
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return conn
}
