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

// tokenAnswer is its answer, as far as it is read.
type tokenAnswer struct {
	Token     string          `json:"token"`
	ExpiresAt json.RawMessage `json:"expires_at"`
}

// session is the session of a user. Not every version of the API repeats the
// end of the session, which then is the one that was asked for.
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

// tokenURL is the address of a user's tokens. It has both forms of the path, for
// the escaped one alone says which slash is part of the user's id.
func (s *Sendbird) tokenURL(user string) *url.URL {
	u := *s.client.URL
	u.Path += "/" + user + "/token"
	u.RawPath = s.client.URL.EscapedPath() + "/" + segment(user) + "/token"
	return &u
}

// segment escapes a user's id as encodeURIComponent does, which Sendbird's own
// clients use: all but letters, digits and "-_.~". What is left is "." and "..",
// which would be taken for a step in the path.
func segment(user string) string {
	if user == "." || user == ".." {
		return strings.ReplaceAll(user, ".", "%2E")
	}
	return strings.ReplaceAll(url.QueryEscape(user), "+", "%20")
}
