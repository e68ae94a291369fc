package openai

import (
	"context"
	"encoding/json"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

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
	out := o.template
	out.User = req.User
	if id, ok := o.workflows[req.Model]; ok {
		out.Workflow.ID, s.Model = id, req.Model
	}
	if o.StateVariables != "" {
		out.Workflow.Variables = req.Metadata
	}
	call := provider.Call{ID: req.ID}
	if call.Body, err = o.body(&out, req.Spec); err != nil {
		return s, session.Invalid("building request: %w", err)
	}
	err = o.client.Post(ctx, &call, func(body []byte) error {
		var a answer
		if err := provider.Decode(body, &a); err != nil {
			return err
		}
		s.Secret, s.ID = session.Secret(a.ClientSecret), a.ID
		if req.Spec != nil {
			s.Resource = body
		}
		s.ExpiresAt = session.ParseExpiry(a.ExpiresAt)
		return nil
	})
	return s, err
}
