package sandbox

import "time"

const (
	// slowBy is the delay of a Slow answer.
	slowBy = 1500 * time.Millisecond
	// backendLifetime is the lifetime of a backend session.
	backendLifetime = time.Hour
	// openAILifetime is the lifetime of an OpenAI session if the request has no
	// expires_after: OpenAI's own default and maximum.
	openAILifetime = 10 * time.Minute
	// sendbirdLifetime is the lifetime of a Sendbird token if the request has no
	// expires_at: Sendbird's own default.
	sendbirdLifetime = 7 * 24 * time.Hour
)

// Options configures a simulator. The zero value works.
type Options struct {
	// Key is the bearer token that a request must have; for Sendbird, the API
	// token. Default: any key is accepted. OpenAI and Sendbird then still require
	// one, the backend does not.
	Key string
	// SlowBy is the delay of the fault Slow. Default: 1.5 seconds.
	SlowBy time.Duration
	// TurnPause is the time between two frames of a turn. Default: 120 milliseconds.
	TurnPause time.Duration
	// Users are the IDs of the users that Sendbird knows at first, Deactivated
	// those that it knows and refuses. Default: none.
	Users, Deactivated []string
}
