package backend

import (
	"encoding/json"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider"
	"github.com/caddy-chatkit/caddy-chatkit/internal/session"
)

// answer is what a custom backend sends. A genuine client_secret wins over the
// backend's own session_id: a backend that sends both minted the secret, and the
// id may then be anything, such as a number.
type answer struct {
	ClientSecret string          `json:"client_secret"`
	SessionID    provider.Text   `json:"session_id"`
	ExpiresAt    json.RawMessage `json:"expires_at"`
	Model        provider.Text   `json:"model"`
	Metadata     json.RawMessage `json:"metadata"`
}

// parse reads an answer. What is not the secret is optional and left out where
// it is not of the documented type.
func parse(body []byte) (session.Session, error) {
	var a answer
	if err := provider.Decode(body, &a); err != nil {
		return session.Session{}, err
	}
	secret := a.ClientSecret
	if secret == "" {
		if a.SessionID.Other {
			return session.Session{}, session.Invalid("answer's session_id is no string")
		}
		secret = a.SessionID.Value
	}
	s := session.Session{
		Secret:    session.Secret(secret),
		ExpiresAt: session.ParseExpiry(a.ExpiresAt),
		Model:     a.Model.Value,
	}
	if len(a.Metadata) > 0 && a.Metadata[0] == '{' {
		s.Metadata = a.Metadata
	}
	return s, nil
}
