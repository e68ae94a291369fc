package turns

import (
	"context"
	"errors"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// EventError is the error of a turn without an answer: its client gets an event.
type EventError struct {
	// Event is the frame that the client gets.
	Event []byte
	// Err is why.
	Err error
}

// Error implements error.
func (e *EventError) Error() string { return "the turn has no answer: " + e.Err.Error() }

// Unwrap returns why, but for errors that reverse_proxy would act on instead of handing
// this one on: Caddy's own, and that of a client that has left.
func (e *EventError) Unwrap() error {
	_, own := errors.AsType[caddyhttp.HandlerError](e.Err)
	if own || errors.Is(e.Err, context.Canceled) {
		return nil
	}
	return e.Err
}

// RefusedError is the error of a request that is not carried.
type RefusedError struct {
	Problem *problem.Problem
	Err     error // why, if there is more to say
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Problem.Details }

// Unwrap returns why.
func (e *RefusedError) Unwrap() error { return e.Err }

// OverLimit reports whether an error says that a turn is over a limit of its caller's.
func OverLimit(err error) bool {
	_, ok := errors.AsType[*turn.Refused](err)
	return ok
}
