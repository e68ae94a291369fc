package caddymodule

import (
	"encoding/json"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// sessionAnswer is the answer with a session.
type sessionAnswer struct {
	ClientSecret string          `json:"client_secret"`
	ExpiresAt    string          `json:"expires_at,omitempty"`
	Model        string          `json:"model,omitempty"`
	Metadata     json.RawMessage `json:"metadata,omitempty"`
	Provider     string          `json:"provider"`
}

// answer answers with the session of the provider that served.
func (s *sessionRequest) answer() {
	res := &s.res
	s.outcome = telemetry.OutcomeOK
	s.servedBy(res.Served.Name)
	if res.Fallback() {
		s.outcome = telemetry.OutcomeFallback
		s.setHeader(reasonHeader, string(s.reason))
	}
	s.h.issuers().Put(&res.Session, s.provider, s.caller)
	encode := encodeSession
	if s.route.kind == OpenAIRoute {
		encode = s.encodeResource
	}
	body, err := encode(&res.Session, s.provider)
	if err != nil {
		s.h.logger.Error("session cannot be written", zap.String("provider", s.provider), zap.Error(err))
		s.invalidSession()
		return
	}
	s.answered(s.provider, &res.Trail)
	s.writeJSON(body)
}

// encodeSession returns the answer for a front end.
func encodeSession(s *session.Session, provider string) ([]byte, error) {
	a := sessionAnswer{
		ClientSecret: s.Secret.Reveal(),
		Model:        s.Model,
		Metadata:     s.Metadata,
		Provider:     provider,
	}
	if !s.ExpiresAt.IsZero() {
		a.ExpiresAt = s.ExpiresAt.UTC().Format(time.RFC3339)
	}
	body, err := json.Marshal(a)
	if err != nil || len(s.Extra) == 0 {
		return body, err
	}
	return withExtra(body, s.Extra)
}

// reservedFields are the fields of [sessionAnswer]. Front ends rely on them, so a
// provider cannot give them another meaning.
var reservedFields = []string{"client_secret", "expires_at", "model", "metadata", "provider"}

// withExtra adds a provider's own fields to the JSON of an answer.
func withExtra(answer []byte, extra map[string]session.Secret) ([]byte, error) {
	fields := make(map[string]json.RawMessage)
	if err := json.Unmarshal(answer, &fields); err != nil {
		return nil, err
	}
	for name, value := range extra {
		if slices.Contains(reservedFields, name) {
			continue
		}
		text, err := json.Marshal(value.Reveal())
		if err != nil {
			return nil, err
		}
		fields[name] = text
	}
	return json.Marshal(fields)
}
