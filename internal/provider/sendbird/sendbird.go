package sendbird

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Bounds and default of a session's life. The API knows no longest life; one of
// more than a year is rather a slip.
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
	// BaseURL is the application's, https://api-{app_id}.sendbird.com as a rule.
	BaseURL *url.URL

	// Token is the master or a secondary API token of the application.
	Token session.Secret

	// TTL is the life of a session, from [MinTTL] to [MaxTTL]; 0 is [DefaultTTL].
	TTL time.Duration

	// CreateUsers creates users that Sendbird does not know.
	CreateUsers bool

	// Transport makes the exchanges.
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

// Create issues a token for the user. One whom Sendbird does not know is created
// first where the configuration says so. A user who has come to be in the
// meantime, by a request at the same moment, is as good as one of our own.
func (s *Sendbird) Create(ctx context.Context, req *session.Request) (session.Session, error) {
	made, code, err := s.issue(ctx, req)
	if code != codeNotFound || !s.createUsers {
		return made, err
	}
	if code, err = s.createUser(ctx, req); err != nil && code != codeExists {
		return session.Session{}, err
	}
	if made, code, err = s.issue(ctx, req); code == codeNotFound {
		// No refusal of the caller: Sendbird contradicts itself.
		err = session.Invalid("user is not known although it was created")
	}
	return made, err
}

// issue asks for a token. Issuing another one does no harm: tokens are
// stateless. Where it failed, code says why, 0 if Sendbird did not.
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

// createUser creates the user with what the API requires and nothing more.
func (s *Sendbird) createUser(ctx context.Context, req *session.Request) (code int, err error) {
	return s.post(ctx, req, nil, newUser{ID: req.User}, func([]byte) error { return nil })
}

// post sends one request; to is nil for the client's own address.
func (s *Sendbird) post(
	ctx context.Context, req *session.Request, to *url.URL, body any, judge func([]byte) error,
) (code int, err error) {
	call := provider.Call{URL: to, ID: req.ID}
	call.Explain = func(f *session.Failure, body []byte, err error) { code = explain(f, body, err) }
	if call.Body, err = json.Marshal(body); err != nil {
		return 0, session.Invalid("building request: %w", err)
	}
	err = s.client.Post(ctx, &call, judge)
	return code, err
}
