package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/uuid"
	"golang.org/x/net/http/httpguts"
)

// userSource is a placeholder that may name the user.
type userSource struct {
	text string
	key  string // of a text that is a placeholder and nothing else
}

func newUserSources(texts []string) []userSource {
	if len(texts) == 0 {
		texts = []string{defaultUser}
	}
	sources := make([]userSource, len(texts))
	for i, t := range texts {
		sources[i].text = t
		inner, opened := strings.CutPrefix(t, "{")
		inner, closed := strings.CutSuffix(inner, "}")
		if opened && closed && !strings.ContainsAny(inner, `{}\`) {
			sources[i].key = inner
		}
	}
	return sources
}

func (s userSource) value(repl *caddy.Replacer) string {
	if s.key != "" {
		v, _ := repl.GetString(s.key)
		return v
	}
	return repl.ReplaceAll(s.text, "")
}

// identifyUser finds out who asks. The body has no say in it.
func (x *exchange) identifyUser() *refusal {
	for _, s := range x.h.users {
		u := strings.TrimSpace(s.value(x.repl))
		if u == "" {
			continue
		}
		if !utf8.ValidString(u) { // JSON would make one user of two: both "J\ufffdrg"
			return unauthorized("The user's id is not valid UTF-8")
		}
		x.req.User = u
		return nil
	}
	if x.h.Anonymous != nil {
		x.req.User = x.visitor()
		return nil
	}
	return unauthorized("No user is logged in")
}

func unauthorized(details string) *refusal {
	return &refusal{Status: http.StatusUnauthorized, Code: codeUnauthorized, Title: "Unauthorized", Details: details}
}

// visitorLife is how long a visitor keeps its id, in seconds: 30 days, as the
// starter app has it.
const visitorLife = 30 * 24 * 60 * 60

// uuidLen is the length of a UUID as RFC 9562 writes it; the package takes
// braces and URNs too.
const uuidLen = 36

// visitor is the id of a visitor without an account. Only a UUID is taken from
// the cookie: any other text could be the id of somebody with an account.
func (x *exchange) visitor() string {
	name := x.h.Anonymous.cookie()
	if c, err := x.r.Cookie(name); err == nil {
		if len(c.Value) == uuidLen && uuid.Validate(c.Value) == nil {
			return strings.ToLower(c.Value)
		}
	}
	id := uuid.NewString()
	http.SetCookie(x.w, &http.Cookie{ //nolint:gosec // Secure on HTTPS only: over plain HTTP browsers would not keep it
		Name: name, Value: id, Path: "/", MaxAge: visitorLife,
		HttpOnly: true, Secure: x.r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
	return id
}

func (a *AnonymousConfig) cookie() string {
	if a.Cookie == "" {
		return defaultCookie
	}
	return a.Cookie
}

// checkCookieName returns an error for a name no cookie can have.
func checkCookieName(name string) error {
	if !httpguts.ValidHeaderFieldName(name) { // RFC 6265 and RFC 9110 both say token
		return fmt.Errorf("anonymous: %q is no cookie name", name)
	}
	return nil
}
