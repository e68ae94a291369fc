package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// MaxExpiresAfter is the longest life of a session, by the API's schema.
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
	// BaseURL is the API's, https://api.openai.com/v1 as a rule.
	BaseURL *url.URL

	// Key is the API key.
	Key session.Secret

	// Organization and Project are sent as headers where they are not empty.
	Organization, Project string

	// Workflow is the id of the workflow behind the chat, Models those for the
	// models a front end may name; Version pins one ("": the latest deployed).
	Workflow string
	Models   map[string]string
	Version  string

	// StateVariables passes the request's metadata on as the workflow's state
	// variables. [OpenAI.CheckMetadata] says what they can be.
	StateVariables bool

	// ExpiresAfter is the life of a session in whole seconds, at most
	// [MaxExpiresAfter]; 0 leaves it to OpenAI, which takes that maximum.
	ExpiresAfter time.Duration

	// FileUpload lets the chat take files.
	FileUpload bool

	// RateLimit is how many requests a minute a session may make; 0 leaves it
	// to OpenAI, which takes 10.
	RateLimit int

	// Transport makes the exchange.
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

// body is CreateChatSessionBody of the API's schema, as far as it is used.
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

// answer is ChatSessionResource of the API's schema, as far as it is read.
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
