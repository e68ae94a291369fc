package backend

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// CancelsOrphans implements [session.OrphanCanceler].
func (b *Backend) CancelsOrphans() bool { return b.Cancel }

// CancelOrphan implements [session.OrphanCanceler]. The backend may answer with any 2xx.
func (b *Backend) CancelOrphan(ctx context.Context, s *session.Session, requestID string) error {
	if s.ID == "" || s.ID == "." || s.ID == ".." { // the latter are another path
		return errors.ErrUnsupported
	}
	call := provider.Call{Method: http.MethodDelete, URL: below(b.client.URL, s.ID), ID: requestID}
	return b.client.Post(ctx, &call, func([]byte) error { return nil })
}

// below returns a copy of u with one more segment.
func below(u *url.URL, segment string) *url.URL {
	c := u.JoinPath(url.PathEscape(segment))
	c.RawQuery = u.RawQuery
	return c
}
