package turns

import (
	"context"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// looks is when a connection is looked at that was there when its stream ended: the
// streams of a connection that is lost end just before it does.
var looks = []time.Duration{20 * time.Millisecond, 200 * time.Millisecond, time.Second, 2 * time.Second, turn.Grace - 500*time.Millisecond}

// connKey is the key of the connection in the context of a request.
type connKey struct{}

// keepConns puts the connections of a server into the contexts of their requests.
func keepConns(s *caddyhttp.Server) {
	s.RegisterConnContext(func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	})
}

// LeavingOf returns what says how the client of a request has left: by ending this one
// stream, or by losing the connection. HTTP/1.1 has no way to end a stream but that:
// it returns nil.
func LeavingOf(r *http.Request) func(lost func()) turn.Leaving {
	switch r.ProtoMajor {
	case 2:
		if closed := closedOf(r); closed != nil {
			return func(lost func()) turn.Leaving { return stopped(closed, lost) }
		}
	case 3:
		ctx := r.Context()
		return func(func()) turn.Leaving {
			if context.Cause(ctx) != context.Canceled { //nolint:errorlint // what has ended the connection
				return turn.Lost
			}
			return turn.Stopped
		}
	}
	return nil
}

// stopped returns how a client has left whose stream has ended, and looks again.
func stopped(closed func() bool, lost func()) turn.Leaving {
	if closed() {
		return turn.Lost
	}
	for _, after := range looks {
		time.AfterFunc(after, func() {
			if closed() {
				lost()
			}
		})
	}
	return turn.Stopped
}

// closedOf returns what reports whether the connection of a request is closed, nil
// where that cannot be seen.
func closedOf(r *http.Request) func() bool {
	conn := r.Context().Value(connKey{})
	for {
		if raw, ok := conn.(syscall.Conn); ok {
			return func() bool {
				fd, err := raw.SyscallConn()
				return err != nil || fd.Control(func(uintptr) {}) != nil
			}
		}
		over, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = over.NetConn()
	}
}
