package openai

import (
	"encoding/json"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// States of a session.
const (
	Active    = "active"
	Cancelled = "cancelled"
)

// unknownLife is the lifetime given in an answer if the provider did not send
// one, because the API's format requires it: the API's maximum.
const unknownLife = MaxExpiresAfter

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

type resourceWorkflow struct {
	ID        string          `json:"id"`
	Version   *string         `json:"version"`
	Variables json.RawMessage `json:"state_variables"` // nil: null
	Tracing   struct {
		Enabled bool `json:"enabled"`
	} `json:"tracing"`
}

// defaultConfiguration is what the API uses if a request has no configuration.
const defaultConfiguration = `{"automatic_thread_titling":{"enabled":true},` +
	`"file_upload":{"enabled":false,"max_file_size":null,"max_files":null},"history":{"enabled":true,"recent_threads":null}}`

// defaultPerMinute is the API's default limit of requests per minute.
const defaultPerMinute = 10

// Describe returns another provider's session in the API's format. spec is the
// request for it, and status is [Active] or [Cancelled]. Fields that only the
// API could fill in have its defaults; they do not limit the provider's chat.
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
	// The parts that the caller can set. A part of the wrong type is ignored.
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
