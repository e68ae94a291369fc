package backend

import (
	"encoding/json"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// answer is what a custom backend sends. A genuine client_secret wins over the
// backend's own session_id: a backend that sends both minted the secret, and the
// id may then be anything, such as a number.
type answer struct {
	ClientSecret *string         `json:"client_secret"`
	SessionID    string          `json:"session_id"`
	ExpiresAt    json.RawMessage `json:"expires_at"`
	Model        string          `json:"model"`
	Metadata     json.RawMessage `json:"metadata"`
}

// parse reads an answer. What is not the secret is optional and left out where
// it is not of the documented type: a field of another type is an error of the
// decoder that leaves all others read.
func parse(body []byte) (session.Session, error) {
	var a answer
	err := provider.Decode(body, &a)
	secret, ok := a.secret()
	if !ok && err != nil {
		return session.Session{}, err
	}
	s := session.Session{
		Secret:    session.Secret(secret),
		ExpiresAt: session.ParseExpiry(a.ExpiresAt),
		Model:     a.Model,
	}
	if len(a.Metadata) > 0 && a.Metadata[0] == '{' {
		s.Metadata = a.Metadata
	}
	return s, nil
}

// secret is the session's secret; false where there is none, or where the one
// that should win is there and empty, which a type error leaves it as.
func (a *answer) secret() (secret string, ok bool) {
	if a.ClientSecret != nil && *a.ClientSecret != "" {
		return *a.ClientSecret, true
	}
	return a.SessionID, a.SessionID != "" && a.ClientSecret == nil
}
