package backend

import (
	"encoding/json"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider"
	"github.com/caddy-chatkit/caddy-chatkit/internal/session"
)

// answer is what a custom backend sends. A genuine client_secret wins over the
// backend's own session_id: a backend that sends both minted the secret.
type answer struct {
	ClientSecret *string         `json:"client_secret"`
	SessionID    *string         `json:"session_id"`
	ExpiresAt    json.RawMessage `json:"expires_at"`
	Model        json.RawMessage `json:"model"`
	Metadata     json.RawMessage `json:"metadata"`
}

// parse reads an answer. What is not the secret is optional and left out where
// it is not of the documented type.
func parse(body []byte) (session.Session, error) {
	var a answer
	if err := provider.Decode(body, &a); err != nil {
		return session.Session{}, err
	}
	s := session.Session{ExpiresAt: session.ParseExpiry(a.ExpiresAt)}
	switch {
	case a.ClientSecret != nil:
		s.Secret = session.Secret(*a.ClientSecret)
	case a.SessionID != nil:
		s.Secret = session.Secret(*a.SessionID)
	}
	if len(a.Model) > 0 && json.Unmarshal(a.Model, &s.Model) != nil {
		s.Model = ""
	}
	if len(a.Metadata) > 0 && a.Metadata[0] == '{' {
		s.Metadata = a.Metadata
	}
	return s, nil
}
