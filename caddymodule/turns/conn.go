package turns

import (
	"context"
	"net"
	"syscall"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// connKey is the key of the connection in the context of a request.
type connKey struct{}

// keepConns puts the connections of a server into the contexts of their requests.
func keepConns(s *caddyhttp.Server) {
	s.RegisterConnContext(func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	})
}

// conn is a connection of the operating system's.
type conn struct{ syscall.Conn }

// connOf returns the connection of a request, under TLS and whatever else there is. It
// reports false where it cannot be seen, as over HTTP/3.
func connOf(ctx context.Context) (conn, bool) {
	c := ctx.Value(connKey{})
	for {
		if raw, ok := c.(syscall.Conn); ok {
			return conn{raw}, true
		}
		over, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return conn{}, false
		}
		c = over.NetConn()
	}
}

// closed reports whether the connection is closed.
func (c conn) closed() bool {
	raw, err := c.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
