package sandbox

import (
	"crypto/tls"
	"time"
)

// Defaults of Options, used if a field is zero.
const (
	// DefaultAddr is a free port of the loopback interface.
	DefaultAddr = "127.0.0.1:0"
	// DefaultSlowBy is the delay of a Slow answer.
	DefaultSlowBy = 1500 * time.Millisecond
	// BackendLifetime is the lifetime of a backend session.
	BackendLifetime = time.Hour
	// OpenAILifetime is the lifetime of an OpenAI session if the request has no
	// expires_after: OpenAI's own default and maximum.
	OpenAILifetime = 10 * time.Minute
	// SendbirdLifetime is the lifetime of a Sendbird token if the request has no
	// expires_at: Sendbird's own default.
	SendbirdLifetime = 7 * 24 * time.Hour
)

// Options configures a simulator. The zero value works.
type Options struct {
	// Key is the bearer token that a request must have; for Sendbird, the API
	// token. Default: any key is accepted. OpenAI and Sendbird then still require
	// one, the backend does not.
	Key string
	// Addr is the host:port to listen on. Default: DefaultAddr. With port 0 the
	// port is chosen once and kept for the life of the server.
	Addr string
	// SlowBy is the delay of the fault Slow. Default: DefaultSlowBy.
	SlowBy time.Duration
	// Lifetime of the sessions. Default: BackendLifetime for the backend,
	// OpenAILifetime for OpenAI, where expires_after overrides it, and
	// SendbirdLifetime for Sendbird, where expires_at overrides it.
	Lifetime time.Duration
	// Workflows are the workflow IDs that OpenAI knows; any other gets 404.
	// Default: every ID that starts with "wf_".
	Workflows []string
	// Users are the IDs of the users that Sendbird knows at first, Deactivated
	// those that it knows and refuses. Default: none.
	Users, Deactivated []string
	// TLS makes the server use HTTPS. Default: plain HTTP. The server offers only
	// HTTP/1.1, because faults that cut a connection need one per request.
	TLS *tls.Config
}

// withDefaults fills the zero fields. lifetime is the default for this server.
func (o Options) withDefaults(lifetime time.Duration) Options {
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.SlowBy <= 0 {
		o.SlowBy = DefaultSlowBy
	}
	if o.Lifetime <= 0 {
		o.Lifetime = lifetime
	}
	return o
}
