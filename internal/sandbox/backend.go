package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths and defaults of the backend stand-in.
const (
	backendSessions = "/api/sessions"
	backendHealth   = "/health"
	backendPrefix   = "session-"
	backendModel    = "custom-v1" // where the request names none
)

// backend speaks as the documented sample backend does.
type backend struct {
	opts     Options
	sessions backendSecrets
}

// backendSession is the answer to a good request.
type backendSession struct {
	SessionID any    `json:"session_id"`
	ExpiresAt string `json:"expires_at"` // RFC 3339, UTC, whole seconds
	Model     string `json:"model"`
}

// backendOrder is the body of a session request: user_id, model and metadata,
// which is accepted and, as in the sample, not answered. A map and not a struct,
// because encoding/json would match a struct's fields in any case of letters.
type backendOrder map[string]json.RawMessage

func (b *backend) route(u *url.URL) (string, judge) {
	switch u.Path {
	case backendSessions:
		return http.MethodPost, b.create
	case backendStream:
		return http.MethodPost, b.reply
	case backendHealth:
		return http.MethodGet, nil
	}
	return "", nil
}

// mark adds nothing: FastAPI has no standing headers.
func (*backend) mark(http.Header) {}

// create checks the key, then the request, and hands out a session.
func (b *backend) create(req *Recorded, f Fault) reply {
	if b.opts.Key != "" && bearer(req.Header) != b.opts.Key {
		return b.problem(http.StatusUnauthorized)
	}
	model, bad := b.order(req)
	if bad != nil {
		return marshaled(http.StatusUnprocessableEntity, map[string]any{"detail": bad})
	}
	value, text := spoil(backendPrefix+token(16), f)
	a := marshaled(http.StatusOK, backendSession{
		SessionID: value,
		ExpiresAt: ends(time.Now(), b.opts.Lifetime, f).UTC().Format(time.RFC3339),
		Model:     model,
	})
	a.secret = text
	b.sessions.add(text)
	return a
}

// order reads the request; the user may stand in the body or in the query. The
// query wins, as there the sample never looks at the body for it.
func (*backend) order(req *Recorded) (model string, bad []invalid) {
	query, _ := url.ParseQuery(req.Query) // what cannot be parsed is left out
	inQuery := query.Get("user_id") != ""
	if len(req.Body) == 0 {
		if inQuery {
			return backendModel, nil
		}
		return "", []invalid{missing(nil, "query", "user_id")}
	}
	var o backendOrder
	if err := json.Unmarshal(req.Body, &o); err != nil {
		return "", []invalid{malformed(req.Body, err)}
	}
	if !inQuery {
		bad = append(bad, o.checkUser(req.Body)...)
	}
	bad = append(bad, o.checkRest()...)
	if err := json.Unmarshal(o["model"], &model); err != nil || model == "" {
		model = backendModel
	}
	return model, bad
}

// problem words an error as FastAPI does.
func (*backend) problem(status int) reply {
	if status == http.StatusUnprocessableEntity {
		return marshaled(status, map[string]any{"detail": []invalid{missing(nil, "body", "user_id")}})
	}
	return marshaled(status, map[string]string{"detail": http.StatusText(status)})
}

// bearer is the bearer token of a request, or "".
func bearer(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
