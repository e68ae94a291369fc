package openai

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Cancel ends a session with POST {base_url}/chatkit/sessions/{id}/cancel and
// returns the API's answer. It returns the same errors as [OpenAI.Create]; a
// session unknown to the API is a [session.Failure] with status 404.
func (o *OpenAI) Cancel(ctx context.Context, id, requestID string) (resource json.RawMessage, err error) {
	if id == "." || id == ".." { // another path
		return nil, session.Invalid("session has no id that can be canceled")
	}
	call := provider.Call{ID: requestID, URL: o.client.URL.JoinPath(url.PathEscape(id), "cancel")}
	err = o.client.Post(ctx, &call, func(body []byte) error {
		var a answer
		if err := provider.Decode(body, &a); err != nil {
			return err
		}
		if a.ID != id {
			return session.Invalid("answer is for a different session")
		}
		resource = body
		return nil
	})
	return resource, err
}

// CancelsOrphans implements [session.OrphanCanceler].
func (o *OpenAI) CancelsOrphans() bool { return o.CancelLate }

// CancelOrphan implements [session.OrphanCanceler].
func (o *OpenAI) CancelOrphan(ctx context.Context, s *session.Session, requestID string) error {
	if s.ID == "" {
		return errors.ErrUnsupported
	}
	_, err := o.Cancel(ctx, s.ID, requestID)
	return err
}
