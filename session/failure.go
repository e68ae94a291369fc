package session

import (
	"fmt"
	"time"
)

// Failure is what a provider returns instead of a session when it knows more
// than "the transport failed". A provider fills in what happened; [Classify]
// says what it means.
type Failure struct {
	// Reason is set where the provider itself can tell, for instance because
	// its API puts an error code in the body. Empty: Status decides.
	Reason Reason

	// Status is the HTTP status of the answer, 0 where there was none.
	Status int

	// RetryAfter is how long the provider asked to be left alone, 0 where it
	// did not say.
	RetryAfter time.Duration

	// KeyLimit is set where the limit that RetryAfter is about is that of our own
	// key, so that everybody has to wait. Otherwise it may be the limit of one
	// caller, and the provider is left alone only once two callers have met it.
	KeyLimit bool

	// CallerCredentials is set where credentials of the caller went upstream
	// beside our own key, so that a 401 may be about them.
	CallerCredentials bool

	// Answered is set where an answer had begun when the attempt failed, so
	// that the provider may well have created a session.
	Answered bool

	// Err is the cause, for logs. It holds no secret and no upstream body.
	Err error
}

// Error implements error.
func (f *Failure) Error() string {
	switch {
	case f.Err != nil && f.Status != 0:
		return fmt.Sprintf("provider answered %d: %v", f.Status, f.Err)
	case f.Err != nil:
		return f.Err.Error()
	case f.Status != 0:
		return fmt.Sprintf("provider answered %d", f.Status)
	}
	return string(f.Reason)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Invalid is the failure of an answer that came with a 2xx status and holds no
// usable session.
func Invalid(format string, args ...any) *Failure {
	return &Failure{Reason: InvalidResponse, Answered: true, Err: fmt.Errorf(format, args...)}
}
