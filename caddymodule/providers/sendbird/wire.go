package sendbird

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// tokenRequest is the request of "issue a session token", in milliseconds.
type tokenRequest struct {
	ExpiresAt int64 `json:"expires_at"`
}

// tokenAnswer is its answer, with the fields read here.
type tokenAnswer struct {
	Token     string          `json:"token"`
	ExpiresAt json.RawMessage `json:"expires_at"`
}

// session returns the user's session. Not every version of the API repeats
// expires_at; without it the session ends when the request asked for.
func (a *tokenAnswer) session(user string, asked time.Time) session.Session {
	s := session.Session{
		Secret:    session.Secret(a.Token),
		ExpiresAt: session.ParseExpiry(a.ExpiresAt),
		Extra:     map[string]session.Secret{"token": session.Secret(a.Token), "user_id": session.Secret(user)},
	}
	if s.ExpiresAt.IsZero() {
		s.ExpiresAt = asked
	}
	return s
}

// newUser is the request of "create a user": all three fields are required.
type newUser struct {
	ID         string `json:"user_id"`
	Nickname   string `json:"nickname"`
	ProfileURL string `json:"profile_url"`
}

// tokenURL returns the URL of a user's tokens. It sets the path in both forms,
// because only the escaped one shows which slashes are part of the user's ID.
func (s *Sendbird) tokenURL(user string) *url.URL {
	u := *s.client.URL
	u.Path += "/" + user + "/token"
	u.RawPath = s.client.URL.EscapedPath() + "/" + segment(user) + "/token"
	return &u
}

// segment escapes a user's ID like encodeURIComponent, which Sendbird's own
// clients use: everything but letters, digits and "-_.~". The IDs "." and ".."
// need more, because they would be read as steps in the path.
func segment(user string) string {
	if user == "." || user == ".." {
		return strings.ReplaceAll(user, ".", "%2E")
	}
	return strings.ReplaceAll(url.QueryEscape(user), "+", "%20")
}
