package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Paths and limits of the Platform API.
const (
	sendbirdUsers = "/v3/users"
	tokenSuffix   = "/token"
	maxUserID     = 80 // characters
)

// sendbird answers like Sendbird's Platform API.
type sendbird struct {
	key string // required if not empty

	mu    sync.Mutex
	users map[string]bool // every user, and whether the user is active
}

func newSendbird(o Options) *sendbird {
	s := &sendbird{key: o.Key, users: make(map[string]bool)}
	for _, id := range o.Users {
		s.users[id] = true
	}
	for _, id := range o.Deactivated {
		s.users[id] = false
	}
	return s
}

// route uses the escaped path: a user's ID is one segment, whatever characters it
// contains.
func (s *sendbird) route(u *url.URL) judge {
	path := u.EscapedPath()
	if path == sendbirdUsers {
		return s.guarded(s.create)
	}
	rest, ours := strings.CutPrefix(path, sendbirdUsers+"/")
	segment, tokens := strings.CutSuffix(rest, tokenSuffix)
	if !ours || !tokens || strings.Contains(segment, "/") {
		return nil
	}
	user, err := url.PathUnescape(segment)
	if err != nil || user == "" || segment == "." || segment == ".." {
		return nil
	}
	return s.guarded(func(req *Recorded, f Fault) reply { return s.issue(user, req, f) })
}

// limit says how much is left of the one-second window that all callers share.
func (*sendbird) limit(h http.Header) {
	h.Set("X-Ratelimit-Limit", "5;w=1")
	h.Set("X-Ratelimit-Remaining", "0")
	h.Set("X-Ratelimit-Retryafter", "0.4697")
}

// guarded adds the checks that both calls share before j.
func (s *sendbird) guarded(j judge) judge {
	return func(req *Recorded, f Fault) reply {
		key := req.Header.Get("Api-Token")
		if key == "" || (s.key != "" && key != s.key) {
			return s.problem(http.StatusUnauthorized)
		}
		if kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";"); kind != typeJSON {
			return sendbirdError{Code: 400403, Message: "Invalid JSON request body."}.reply(http.StatusBadRequest)
		}
		return j(req, f)
	}
}

// create creates a user from the three required fields.
func (s *sendbird) create(req *Recorded, _ Fault) reply {
	o, bad := parseSendbird(req.Body)
	if bad != nil {
		return bad.reply(http.StatusBadRequest)
	}
	fields, bad := o.texts("user_id", "nickname", "profile_url")
	if bad != nil {
		return bad.reply(http.StatusBadRequest)
	}
	id := fields["user_id"]
	if bad = checkUserID(id); bad != nil {
		return bad.reply(http.StatusBadRequest)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.users[id]; there {
		return s.problem(http.StatusConflict)
	}
	s.users[id] = true
	return marshaled(http.StatusOK, map[string]any{
		"user_id": id, "nickname": fields["nickname"], "profile_url": fields["profile_url"], "access_token": "",
		"is_active": true, "is_online": false, "last_seen_at": -1, "created_at": time.Now().Unix(),
		"metadata": map[string]any{}, "discovery_keys": []string{}, "has_ever_logged_in": false,
	})
}

// issue returns a token for a user.
func (s *sendbird) issue(user string, req *Recorded, f Fault) reply {
	o, bad := parseSendbird(req.Body)
	now := time.Now()
	end := now.Add(sendbirdLifetime)
	if bad == nil {
		end, bad = o.end(now, end)
	}
	if bad == nil {
		bad = checkUserID(user)
	}
	if bad == nil {
		bad = s.refuses(user)
	}
	if bad != nil {
		return bad.reply(http.StatusBadRequest)
	}
	end = ends(now, end.Sub(now), f)
	value, text := spoil(sendbirdToken(end), f)
	a := marshaled(http.StatusOK, map[string]any{"token": value, "expires_at": end.UnixMilli()})
	a.secret = text
	return a
}

// refuses returns why a user does not get a token, or nil.
func (s *sendbird) refuses(user string) *sendbirdError {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch active, there := s.users[user]; {
	case !there:
		return &sendbirdError{Code: 400201, Message: `"User" not found.`}
	case !active:
		return &sendbirdError{Code: 400300, Message: "User is deactivated."}
	}
	return nil
}

// checkUserID requires 1 to 80 characters.
func checkUserID(id string) *sendbirdError {
	switch n := utf8.RuneCountInString(id); {
	case n == 0:
		return &sendbirdError{Code: 400111, Message: `Invalid value: "user_id".`}
	case n > maxUserID:
		return &sendbirdError{Code: 400305, Message: "User ID is too long."}
	}
	return nil
}

// sendbirdToken returns what looks like a signed token and contains its expiry.
func sendbirdToken(end time.Time) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		part(fmt.Appendf(nil, `{"u":%q,"e":%d}`, token(4), end.UnixMilli())) + "." + part([]byte(token(16)))
}
