package turn

import (
	"errors"
	"io"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// End is how a turn ended, or an answer to it.
type End string

// The ends.
const (
	// OK is a stream that the backend has ended in order.
	OK End = "ok"
	// Error is one whose last frame is the backend's own error event.
	Error End = "error"
	// Cut is a stream that broke off within a frame or its encoding.
	Cut End = "cut"
	// Reset is a stream that broke with an error of the connection.
	Reset End = "reset"
	// Idle is a stream that paused too long.
	Idle End = "idle"
	// FirstToken is a turn that showed no content in time.
	FirstToken End = "first_token"
	// Empty is a stream without a frame.
	Empty End = "empty"
	// UnknownThread is a stream without a frame where the request names a thread:
	// what OpenAI's server does with a thread that it does not know.
	UnknownThread End = "unknown_thread"
	// Unfinished is a stream that ended with an item added and never done.
	Unfinished End = "unfinished"
	// Canceled is a turn that a client has stopped, or that nobody wanted to read
	// to its end in time.
	Canceled End = "canceled"
	// Drained is a turn that was ended because the process stops.
	Drained End = "drained"
	// Failed is a turn that nobody answered.
	Failed End = "failed"
	// Passed is an answer that is no turn: it was passed on as it came.
	Passed End = "passed"
)

// Ends are all ends, in the order of the documentation.
var Ends = []End{OK, Error, Cut, Reset, Idle, FirstToken, Empty, UnknownThread, Unfinished, Canceled, Drained, Failed, Passed}

// Broken reports whether the backend's stream broke, so that it did not answer.
func (e End) Broken() bool {
	switch e {
	case Cut, Reset, Idle, FirstToken, Empty, Unfinished:
		return true
	default:
		return false
	}
}

// Errors of a stream. A backend's body that fails with [ErrIdle] has paused too
// long; the others are causes of the context that an answer is read under.
var (
	ErrIdle       = errors.New("the backend sent nothing for too long")
	ErrFirstToken = errors.New("the backend sent no content in time")
	ErrCanceled   = errors.New("nobody reads the turn any more")
	ErrDrained    = errors.New("the server is stopping")
)

// errorOf returns how a stream ended that ended with err before its end.
func errorOf(err error) End {
	switch {
	case errors.Is(err, ErrIdle):
		return Idle
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Cut
	}
	return Reset
}

// eventOf returns the event that ends a turn, nil where the backend's own last
// frame does.
func eventOf(e End) *chatkit.ErrorEvent {
	switch e {
	case OK, Error, Passed:
		return nil
	case UnknownThread:
		return &chatkit.ErrorEvent{Message: "This conversation could not be found."}
	default:
		return &chatkit.ErrorEvent{Code: chatkit.StreamError, AllowRetry: true}
	}
}
