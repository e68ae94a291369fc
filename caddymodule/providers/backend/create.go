package backend

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// body is the SessionRequest of the quick reference.
type body struct {
	UserID   string          `json:"user_id,omitempty"`
	Model    string          `json:"model,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Create asks the backend for a session.
func (b *Backend) Create(ctx context.Context, req *session.Request) (s session.Session, err error) {
	// A caller who leaves the header out is refused for that, not for our key.
	call := provider.Call{ID: req.ID, CallerCredentials: len(b.forward) > 0}
	for _, name := range b.forward {
		if v, ok := req.Header[name]; ok {
			if call.Header == nil {
				call.Header = make(http.Header, len(b.forward))
			}
			call.Header[name] = v
		}
	}
	if b.userIn() != userInBody {
		call.URL = withUser(b.client.URL, req.User)
	}
	out := body{Model: req.Model, Metadata: req.Metadata}
	if b.userIn() != userInQuery {
		out.UserID = req.User
	}
	if call.Body, err = provider.Encode(out); err != nil {
		return s, session.Invalid("building request: %w", err)
	}
	err = b.client.Post(ctx, &call, func(body []byte) (err error) {
		s, err = parse(body)
		return err
	})
	if b.IgnoreExpiry {
		s.ExpiresAt = time.Time{}
	}
	return s, err
}

// CheckHealth implements [session.HealthChecker]. The backend is asked with its key,
// so that a check behind the same authentication works.
func (b *Backend) CheckHealth(ctx context.Context, path *url.URL) error {
	u := b.base.JoinPath(path.EscapedPath())
	u.RawQuery = path.RawQuery
	return b.client.Check(ctx, u)
}

// withUser returns a copy of u with the user in its query.
func withUser(u *url.URL, user string) *url.URL {
	c := *u
	q := c.Query()
	q.Set("user_id", user)
	c.RawQuery = q.Encode()
	return &c
}
