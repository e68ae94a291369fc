package sandbox

import (
	"crypto/tls"
	"time"
)

// Defaults of Options, used where a field is zero.
const (
	// DefaultAddr is a free port of the loopback interface.
	DefaultAddr = "127.0.0.1:0"
	// DefaultSlowBy is how late a Slow answer comes.
	DefaultSlowBy = 1500 * time.Millisecond
	// BackendLifetime is how long a session of the backend stand-in lasts.
	BackendLifetime = time.Hour
	// OpenAILifetime is how long a session of the OpenAI stand-in lasts where the
	// request has no expires_after: OpenAI's own default and maximum.
	OpenAILifetime = 10 * time.Minute
	// SendbirdLifetime is how long a token of the Sendbird stand-in lasts where
	// the request has no expires_at: Sendbird's own default.
	SendbirdLifetime = 7 * 24 * time.Hour
)

// Options say what a stand-in expects and how it answers. The zero value works.
type Options struct {
	// Key is the bearer key a request must carry, to Sendbird the API token.
	// Default: any; the OpenAI and the Sendbird stand-in then still want one,
	// the backend does not.
	Key string
	// Addr is the host:port to listen on. Default: DefaultAddr. A port of 0 is
	// chosen once and kept for the life of the server.
	Addr string
	// SlowBy is how late the answer of the fault Slow comes. Default: DefaultSlowBy.
	SlowBy time.Duration
	// Lifetime of the sessions handed out. Default: BackendLifetime on the
	// backend, OpenAILifetime on OpenAI, where expires_after overrides it, and
	// SendbirdLifetime on Sendbird, where expires_at does.
	Lifetime time.Duration
	// Workflows are the workflow ids the OpenAI stand-in knows; any other gets
	// 404. Default: every id that starts with "wf_".
	Workflows []string
	// Users are the ids of the users the Sendbird stand-in knows from the start,
	// Deactivated those that it knows and refuses. Default: none.
	Users, Deactivated []string
	// TLS makes the server speak HTTPS. Default: plain HTTP. The server offers
	// HTTP/1.1 only, because faults that cut a connection need one of their own.
	TLS *tls.Config
}

// withDefaults fills the zero fields; lifetime is that of the kind of server.
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
