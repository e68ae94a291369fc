package turns

import "github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"

// EventError is the error of a turn without an answer: its client gets an event.
type EventError struct {
	// Event is the frame that the client gets.
	Event []byte
	// Err is why.
	Err error
}

// Error implements error.
func (e *EventError) Error() string { return "the turn has no answer: " + e.Err.Error() }

// Unwrap returns why.
func (e *EventError) Unwrap() error { return e.Err }

// RefusedError is the error of a request that is not carried.
type RefusedError struct{ Problem *problem.Problem }

// Error implements error.
func (e *RefusedError) Error() string { return e.Problem.Details }
