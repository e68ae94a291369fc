package sendbird

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Limits and default of a session's lifetime. The API has no maximum; more than
// a year is likely a typo.
const (
	MinTTL     = time.Second
	MaxTTL     = 365 * 24 * time.Hour
	DefaultTTL = 10 * time.Minute
)

// Sendbird issues session tokens. It is safe for concurrent use.
type Sendbird struct {
	client      provider.Client
	ttl         time.Duration
	createUsers bool
}

// Config configures a [Sendbird].
type Config struct {
	// BaseURL is the application's base URL, normally
	// https://api-{app_id}.sendbird.com.
	BaseURL *url.URL

	// Token is the application's master API token or a secondary one.
	Token session.Secret

	// TTL is the lifetime of a session, from [MinTTL] to [MaxTTL]. If 0,
	// [DefaultTTL] is used.
	TTL time.Duration

	// CreateUsers creates users that Sendbird does not know.
	CreateUsers bool

	// Transport sends the requests.
	Transport http.RoundTripper
}

// New returns a provider.
func New(c Config) *Sendbird {
	h := http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json; charset=utf8"},
		"User-Agent":   {"caddy-chatkit"},
		"Api-Token":    {c.Token.Reveal()},
	}
	if c.TTL == 0 {
		c.TTL = DefaultTTL
	}
	return &Sendbird{
		client:      provider.Client{URL: c.BaseURL.JoinPath("v3", "users"), Header: h, Transport: c.Transport},
		ttl:         c.TTL,
		createUsers: c.CreateUsers,
	}
}

// Create issues a token for the user. If Sendbird does not know the user, and
// the configuration allows it, Create creates the user first. It is not an error
// if a concurrent request has created the same user in the meantime.
func (s *Sendbird) Create(ctx context.Context, req *session.Request) (session.Session, error) {
	made, code, err := s.issue(ctx, req)
	if code != codeNotFound || !s.createUsers {
		return made, err
	}
	if code, err = s.createUser(ctx, req); err != nil && code != codeExists {
		return session.Session{}, err
	}
	if made, code, err = s.issue(ctx, req); code == codeNotFound {
		// The caller is not at fault: Sendbird contradicts itself.
		err = session.Invalid("user is unknown although it was just created")
	}
	return made, err
}

// issue requests a token. Requesting another one is harmless, because tokens are
// stateless. If it fails, code is Sendbird's error code, or 0 if it sent none.
func (s *Sendbird) issue(ctx context.Context, req *session.Request) (made session.Session, code int, err error) {
	expires := time.Now().Add(s.ttl)
	code, err = s.post(ctx, req, s.tokenURL(req.User), tokenRequest{expires.UnixMilli()}, func(body []byte) error {
		var a tokenAnswer
		if err := provider.Decode(body, &a); err != nil {
			return err
		}
		made = a.session(req.User, expires)
		return nil
	})
	return made, code, err
}

// createUser creates the user with only the fields that the API requires.
func (s *Sendbird) createUser(ctx context.Context, req *session.Request) (code int, err error) {
	return s.post(ctx, req, nil, newUser{ID: req.User}, func([]byte) error { return nil })
}

// post sends one request. If to is nil, it goes to the client's own URL.
func (s *Sendbird) post(
	ctx context.Context, req *session.Request, to *url.URL, body any, parse func([]byte) error,
) (code int, err error) {
	call := provider.Call{URL: to, ID: req.ID}
	call.Explain = func(f *session.Failure, body []byte, err error) { code = explain(f, body, err) }
	if call.Body, err = json.Marshal(body); err != nil {
		return 0, session.Invalid("building request: %w", err)
	}
	err = s.client.Post(ctx, &call, parse)
	return code, err
}
