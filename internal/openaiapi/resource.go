package openaiapi

import (
	"encoding/json"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The states of a session.
const (
	Active    = "active"
	Cancelled = "cancelled"
)

// unknownLife is the life of a session whose provider does not say, in an answer
// that has to: the longest one the API knows.
const unknownLife = 600 * time.Second

// resource is ChatSessionResource of the API's schema, every field required.
type resource struct {
	ID           string           `json:"id"`
	Object       string           `json:"object"`
	ExpiresAt    int64            `json:"expires_at"`
	ClientSecret string           `json:"client_secret"`
	Workflow     resourceWorkflow `json:"workflow"`
	User         string           `json:"user"`
	RateLimits   rateLimits       `json:"rate_limits"`
	PerMinute    int              `json:"max_requests_per_1_minute"`
	Status       string           `json:"status"`
	ChatKit      json.RawMessage  `json:"chatkit_configuration"`
}

type rateLimits struct {
	PerMinute int `json:"max_requests_per_1_minute"`
}

type resourceWorkflow struct {
	ID        string          `json:"id"`
	Version   *string         `json:"version"`
	Variables json.RawMessage `json:"state_variables"` // nil: null
	Tracing   struct {
		Enabled bool `json:"enabled"`
	} `json:"tracing"`
}

// defaultConfiguration is what the API resolves an absent configuration to.
const defaultConfiguration = `{"automatic_thread_titling":{"enabled":true},` +
	`"file_upload":{"enabled":false,"max_file_size":null,"max_files":null},"history":{"enabled":true,"recent_threads":null}}`

// defaultPerMinute is how many requests a minute a session may make by default.
const defaultPerMinute = 10

// Describe writes a session of another provider in the shape of the API. spec is
// the request for it. Fields that only the API could resolve have its defaults.
// status is [Active] or [Cancelled].
func Describe(spec json.RawMessage, s *session.Session, status string) ([]byte, error) {
	r := resource{
		ID: s.ID, Object: "chatkit.session", ClientSecret: s.Secret.Reveal(), Status: status,
		RateLimits: rateLimits{PerMinute: defaultPerMinute}, PerMinute: defaultPerMinute,
		ChatKit: json.RawMessage(defaultConfiguration),
	}
	r.ExpiresAt = s.ExpiresAt.Unix()
	if s.ExpiresAt.IsZero() {
		r.ExpiresAt = time.Now().Add(unknownLife).Unix()
	}
	r.Workflow.Tracing.Enabled = true
	// What the caller can set. A part of another type is ignored.
	var said struct {
		User       string           `json:"user"`
		Workflow   resourceWorkflow `json:"workflow"`
		RateLimits rateLimits       `json:"rate_limits"`
	}
	said.Workflow.Tracing.Enabled = true
	_ = json.Unmarshal(spec, &said)
	r.User, r.Workflow = said.User, said.Workflow
	if said.RateLimits.PerMinute > 0 {
		r.RateLimits, r.PerMinute = said.RateLimits, said.RateLimits.PerMinute
	}
	return json.Marshal(r)
}
