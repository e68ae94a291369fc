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
	SessionID    any             `json:"session_id"`
	ExpiresAt    json.RawMessage `json:"expires_at"`
	Model        any             `json:"model"`
	Metadata     json.RawMessage `json:"metadata"`
}

// parse reads an answer. What is not the secret is optional and left out where
// it is not of the documented type.
func parse(body []byte) (session.Session, error) {
	var a answer
	if err := provider.Decode(body, &a); err != nil {
		return session.Session{}, err
	}
	if a.ClientSecret == "" && a.SessionID != nil {
		id, ok := a.SessionID.(string)
		if !ok {
			return session.Session{}, session.Invalid("answer's session_id is no string")
		}
		a.ClientSecret = id
	}
	s := session.Session{Secret: session.Secret(a.ClientSecret), ExpiresAt: session.ParseExpiry(a.ExpiresAt)}
	s.Model, _ = a.Model.(string)
	if len(a.Metadata) > 0 && a.Metadata[0] == '{' {
		s.Metadata = a.Metadata
	}
	return s, nil
}
