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

// UserIn says where the backend expects the user's ID.
type UserIn string

// Values of [UserIn]. FastAPI looks in the query for an argument that is not
// declared as a JSON model.
const (
	UserInBody  UserIn = "body"
	UserInQuery UserIn = "query"
	UserInBoth  UserIn = "both"
)

// Backend creates sessions at {url}{session_path}. It is safe for concurrent use.
type Backend struct {
	client       provider.Client
	userIn       UserIn
	forward      []string
	ignoreExpiry bool
}

// Config configures a [Backend].
type Config struct {
	// URL is the complete URL of the session endpoint.
	URL *url.URL

	// Key is sent as a bearer token unless it is empty.
	Key session.Secret

	// UserIn says where to put the user's ID.
	UserIn UserIn

	// IgnoreExpiry ignores the backend's expires_at.
	IgnoreExpiry bool

	// Forward lists the client's headers to pass on.
	Forward []string

	// Transport sends the requests.
	Transport http.RoundTripper
}

// New returns a backend.
func New(c Config) *Backend {
	h := http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {"caddy-chatkit"},
	}
	if c.Key != "" {
		h["Authorization"] = []string{"Bearer " + c.Key.Reveal()}
	}
	b := &Backend{
		client: provider.Client{URL: c.URL, Header: h, Transport: c.Transport},
		userIn: c.UserIn, ignoreExpiry: c.IgnoreExpiry,
	}
	for _, name := range c.Forward {
		b.forward = append(b.forward, http.CanonicalHeaderKey(name))
	}
	return b
}

// body is the SessionRequest of the quick reference.
type body struct {
	UserID   string          `json:"user_id,omitempty"`
	Model    string          `json:"model,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Create asks the backend for a session.
func (b *Backend) Create(ctx context.Context, req *session.Request) (s session.Session, err error) {
	call := provider.Call{ID: req.ID}
	for _, name := range b.forward {
		if v, ok := req.Header[name]; ok {
			if call.Header == nil {
				call.Header = make(http.Header, len(b.forward))
			}
			call.Header[name], call.CallerCredentials = v, true
		}
	}
	if b.userIn != UserInBody {
		call.URL = withUser(b.client.URL, req.User)
	}
	out := body{Model: req.Model, Metadata: req.Metadata}
	if b.userIn != UserInQuery {
		out.UserID = req.User
	}
	if call.Body, err = json.Marshal(out); err != nil {
		return s, session.Invalid("building request: %w", err)
	}
	err = b.client.Post(ctx, &call, func(body []byte) (err error) {
		s, err = parse(body)
		return err
	})
	if b.ignoreExpiry {
		s.ExpiresAt = time.Time{}
	}
	return s, err
}

// withUser returns a copy of u with the user in its query.
func withUser(u *url.URL, user string) *url.URL {
	c := *u
	q := c.Query()
	q.Set("user_id", user)
	c.RawQuery = q.Encode()
	return &c
}
