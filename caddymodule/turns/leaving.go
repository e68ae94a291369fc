package turns

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// looks is when a connection is looked at that was there when its stream ended: the
// streams of a connection that is lost end just before it does.
var looks = []time.Duration{20 * time.Millisecond, 200 * time.Millisecond, time.Second, 2 * time.Second, turn.Grace - 500*time.Millisecond}

// LeavingOf returns what says how the client of a request has left: by ending this one
// stream, or by losing the connection. HTTP/1.1 has no way to end a stream but that:
// it returns nil.
func LeavingOf(r *http.Request) func(lost func()) turn.Leaving {
	switch r.ProtoMajor {
	case 2:
		if c, ok := connOf(r.Context()); ok {
			return func(lost func()) turn.Leaving { return stopped(c.closed, lost) }
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
