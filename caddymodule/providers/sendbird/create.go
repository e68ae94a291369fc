package sendbird

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Create issues a token for the user. If Sendbird does not know the user, and
// the configuration allows it, Create creates the user first. It is not an error
// if a concurrent request has created the same user in the meantime.
func (s *Sendbird) Create(ctx context.Context, req *session.Request) (session.Session, error) {
	made, code, err := s.issue(ctx, req)
	if code != codeNotFound || !s.CreateUsers {
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
	expires := time.Now().Add(s.lifetime())
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
