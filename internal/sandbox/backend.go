package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths and defaults of the simulated backend.
const (
	backendSessions = "/api/sessions"
	backendPrefix   = "session-"
	backendModel    = "custom-v1" // if the request names none
)

// backend answers like the documented sample backend.
type backend struct {
	key      string        // required if not empty
	pause    time.Duration // between the frames of a turn
	sessions backendSecrets
	chats    backendChats
}

// backendSession is the answer to a valid request.
type backendSession struct {
	SessionID any    `json:"session_id"`
	ExpiresAt string `json:"expires_at"` // RFC 3339, UTC, whole seconds
	Model     string `json:"model"`
}

// backendOrder is the body of a session request: user_id, model and metadata.
// The metadata is accepted but not returned, as in the sample. It is not a
// struct, because encoding/json ignores case when it matches struct fields.
type backendOrder map[string]json.RawMessage

func (b *backend) route(u *url.URL) judge {
	switch u.Path {
	case backendSessions:
		return b.create
	case backendStream:
		return b.reply
	case backendChatKit:
		return b.chat
	}
	return nil
}

// create checks the key, then the request, and returns a session.
func (b *backend) create(req *Recorded, f Fault) reply {
	if b.key != "" && bearer(req.Header) != b.key {
		return b.problem(http.StatusUnauthorized)
	}
	model, bad := b.order(req)
	if bad != nil {
		return marshaled(http.StatusUnprocessableEntity, map[string]any{"detail": bad})
	}
	value, text := spoil(backendPrefix+token(16), f)
	a := marshaled(http.StatusOK, backendSession{
		SessionID: value,
		ExpiresAt: ends(time.Now(), backendLifetime, f).UTC().Format(time.RFC3339),
		Model:     model,
	})
	a.secret = text
	b.sessions.add(text)
	return a
}

// order parses the request. The user may be in the body or in the query. The
// query takes precedence: with it the sample does not read the user from the body.
func (*backend) order(req *Recorded) (model string, bad []invalid) {
	query, _ := url.ParseQuery(req.Query) // keeps what it could parse
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

// problem returns an error in FastAPI's format.
func (*backend) problem(status int) reply {
	if status == http.StatusUnprocessableEntity {
		return marshaled(status, map[string]any{"detail": []invalid{missing(nil, "body", "user_id")}})
	}
	return marshaled(status, map[string]string{"detail": http.StatusText(status)})
}

// bearer returns the bearer token of a request, or "".
func bearer(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
