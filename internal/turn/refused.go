package turn

import (
	"fmt"
	"math"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// Refused is the error of a turn that a limit does not allow.
type Refused struct {
	// Limit is "turns" or "parallel".
	Limit string
	// Event is the answer.
	Event chatkit.ErrorEvent
}

// Error implements error.
func (r *Refused) Error() string { return "over the limit of " + r.Limit }

// TooMany refuses a turn because there were too many.
func TooMany(wait time.Duration) *Refused {
	seconds := int(math.Ceil(wait.Seconds()))
	again := fmt.Sprintf("%d seconds", seconds)
	switch {
	case seconds > 90:
		again = fmt.Sprintf("%d minutes", (seconds+59)/60)
	case seconds <= 1:
		again = "a second"
	}
	return &Refused{Limit: "turns", Event: chatkit.ErrorEvent{
		Message: "You have sent too many messages. Please try again in " + again + ".",
	}}
}

// tooManyAtOnce refuses a turn because others of the caller are not over.
func tooManyAtOnce() *Refused {
	return &Refused{Limit: "parallel", Event: chatkit.ErrorEvent{
		Message: "Another answer is still being written. Please wait until it is complete.",
	}}
}

// Unanswered is an error of [Request.Ask] that says in which words the turn ends.
type Unanswered struct {
	Event chatkit.ErrorEvent
	Err   error
}

// Error implements error.
func (u *Unanswered) Error() string { return u.Err.Error() }

// Unwrap returns the cause.
func (u *Unanswered) Unwrap() error { return u.Err }
