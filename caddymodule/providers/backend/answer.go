package backend

import (
	"encoding/json"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// answer is what a custom backend sends. A genuine client_secret takes precedence
// over the backend's own session_id: a backend that sends both created the
// secret, and the ID may then be anything, such as a number.
type answer struct {
	ClientSecret *string         `json:"client_secret"`
	SessionID    string          `json:"session_id"`
	ExpiresAt    json.RawMessage `json:"expires_at"`
	Model        string          `json:"model"`
	Metadata     json.RawMessage `json:"metadata"`
}

// parse decodes an answer. Everything but the secret is optional, and ignored if
// it does not have the documented type: on a type error the decoder still
// decodes all other fields.
func parse(body []byte) (session.Session, error) {
	var a answer
	err := provider.Decode(body, &a)
	secret, ok := a.secret()
	if !ok && err != nil {
		return session.Session{}, err
	}
	s := session.Session{
		Secret:    session.Secret(secret),
		ID:        a.SessionID,
		ExpiresAt: session.ParseExpiry(a.ExpiresAt),
		Model:     a.Model,
	}
	if len(a.Metadata) > 0 && a.Metadata[0] == '{' {
		s.Metadata = a.Metadata
	}
	return s, nil
}

// secret returns the session's secret. ok is false if there is none, or if
// client_secret is present but empty, as it is after a type error.
func (a *answer) secret() (secret string, ok bool) {
	if a.ClientSecret != nil && *a.ClientSecret != "" {
		return *a.ClientSecret, true
	}
	return a.SessionID, a.SessionID != "" && a.ClientSecret == nil
}
