package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// MaxExpiresAfter is the maximum lifetime of a session, from the API's schema.
const MaxExpiresAfter = 600 * time.Second

// OpenAI creates sessions at the ChatKit sessions endpoint. It is safe for
// concurrent use.
type OpenAI struct {
	client provider.Client
	base   body
	models map[string]string
	vars   bool
}

// Config configures an [OpenAI].
type Config struct {
	// BaseURL is the base URL of the API, normally https://api.openai.com/v1.
	BaseURL *url.URL

	// Key is the API key.
	Key session.Secret

	// Organization and Project are sent as headers unless they are empty.
	Organization, Project string

	// Workflow is the ID of the default workflow, and Models maps model names to
	// workflow IDs. Version pins the workflow's version; if empty, OpenAI uses the
	// latest deployed one.
	Workflow string
	Models   map[string]string
	Version  string

	// StateVariables passes the request's metadata to the workflow as state
	// variables. [OpenAI.CheckMetadata] checks them.
	StateVariables bool

	// ExpiresAfter is the lifetime of a session in whole seconds, at most
	// [MaxExpiresAfter]. If 0, OpenAI uses that maximum.
	ExpiresAfter time.Duration

	// FileUpload allows file uploads in the chat.
	FileUpload bool

	// RateLimit is the maximum number of requests per minute in a session. If 0,
	// OpenAI uses 10.
	RateLimit int

	// Transport sends the requests.
	Transport http.RoundTripper
}

// New returns a provider.
func New(c Config) *OpenAI {
	h := http.Header{
		"Accept":        {"application/json"},
		"Content-Type":  {"application/json"},
		"User-Agent":    {"caddy-chatkit"},
		"Openai-Beta":   {"chatkit_beta=v1"},
		"Authorization": {"Bearer " + c.Key.Reveal()},
	}
	if c.Organization != "" {
		h["Openai-Organization"] = []string{c.Organization}
	}
	if c.Project != "" {
		h["Openai-Project"] = []string{c.Project}
	}
	o := &OpenAI{
		client: provider.Client{URL: c.BaseURL.JoinPath("chatkit", "sessions"), Header: h, Transport: c.Transport},
		models: c.Models, vars: c.StateVariables,
		base: body{Workflow: workflow{ID: c.Workflow, Version: c.Version}},
	}
	if c.ExpiresAfter > 0 {
		o.base.ExpiresAfter = &expiresAfter{Anchor: "created_at", Seconds: int(c.ExpiresAfter / time.Second)}
	}
	if c.FileUpload {
		o.base.ChatKit = new(chatKit)
		o.base.ChatKit.FileUpload.Enabled = true
	}
	if c.RateLimit > 0 {
		o.base.RateLimits = &rateLimits{PerMinute: c.RateLimit}
	}
	return o
}

// body is CreateChatSessionBody of the API's schema, with the fields used here.
type body struct {
	User         string        `json:"user"`
	Workflow     workflow      `json:"workflow"`
	ExpiresAfter *expiresAfter `json:"expires_after,omitempty"`
	RateLimits   *rateLimits   `json:"rate_limits,omitempty"`
	ChatKit      *chatKit      `json:"chatkit_configuration,omitempty"`
}

type chatKit struct {
	FileUpload struct {
		Enabled bool `json:"enabled"`
	} `json:"file_upload"`
}

type workflow struct {
	ID        string          `json:"id"`
	Version   string          `json:"version,omitempty"`
	Variables json.RawMessage `json:"state_variables,omitempty"`
}

type expiresAfter struct {
	Anchor  string `json:"anchor"`
	Seconds int    `json:"seconds"`
}

type rateLimits struct {
	PerMinute int `json:"max_requests_per_1_minute"`
}

// answer is ChatSessionResource of the API's schema, with the fields read here.
type answer struct {
	ID           string          `json:"id"`
	ClientSecret string          `json:"client_secret"`
	ExpiresAt    json.RawMessage `json:"expires_at"`
}

// Create asks OpenAI for a session.
func (o *OpenAI) Create(ctx context.Context, req *session.Request) (s session.Session, err error) {
	out := o.base
	out.User = req.User
	if id, ok := o.models[req.Model]; ok {
		out.Workflow.ID, s.Model = id, req.Model
	}
	if o.vars {
		out.Workflow.Variables = req.Metadata
	}
	call := provider.Call{ID: req.ID}
	if call.Body, err = out.with(req.Spec); err != nil {
		return s, session.Invalid("building request: %w", err)
	}
	err = o.client.Post(ctx, &call, func(body []byte) error {
		var a answer
		if err := provider.Decode(body, &a); err != nil {
			return err
		}
		s.Secret, s.ID = session.Secret(a.ClientSecret), a.ID
		if req.Spec != nil {
			s.Resource = bytes.Clone(body)
		}
		s.ExpiresAt = session.ParseExpiry(a.ExpiresAt)
		return nil
	})
	return s, err
}
