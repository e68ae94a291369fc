package caddymodule

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/uuid"
	"golang.org/x/net/http/httpguts"
)

// userSource is a text with placeholders that may name the user.
type userSource struct {
	text string
	key  string // where the text is one placeholder and nothing else
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

// value returns the source's value, "" if any placeholder in it is empty: all
// strangers would be one user otherwise, "acme-" of "acme-{http.auth.user.id}".
func (s userSource) value(repl *caddy.Replacer) string {
	if s.key != "" {
		v, _ := repl.GetString(s.key)
		return v
	}
	v, err := repl.ReplaceOrErr(s.text, true, true)
	if err != nil {
		return ""
	}
	return v
}

var placeholder = regexp.MustCompile(`\{[^{}\s]+\}`)

// checkUsers returns an error for a source without a placeholder, which would make
// everybody one user.
func (h *Handler) checkUsers() error {
	for _, text := range h.User {
		if !placeholder.MatchString(text) {
			return fmt.Errorf("user: %q has no placeholder (want {http.auth.user.id}, for instance)", text)
		}
	}
	return nil
}

// users says who asks.
type users struct {
	sources []userSource
	cookie  string // of visitors, "" where they need an account
}

func newUsers(h *Handler) users {
	u := users{sources: newUserSources(h.User)}
	if h.Anonymous != nil {
		u.cookie = cmp.Or(h.Anonymous.Cookie, defaultCookie)
	}
	return u
}

// identify returns the user of a request, and whether it is a visitor. The body has
// no say in it.
func (u *users) identify(w http.ResponseWriter, r *http.Request, repl *caddy.Replacer) (user string, visits bool, p *problem) {
	for _, s := range u.sources {
		user := strings.TrimSpace(s.value(repl))
		switch {
		case user == "":
		case !utf8.ValidString(user): // JSON would turn two users into one: both "J\ufffdrg"
			return "", false, unauthorized("The user's id is not valid UTF-8")
		default:
			return user, false, nil
		}
	}
	if u.cookie == "" {
		return "", false, unauthorized("No user is logged in")
	}
	return visitor(w, r, u.cookie), true, nil
}

// visitorLife is how long a visitor keeps its id, in seconds: 30 days, as the
// starter app has it.
const visitorLife = 30 * 24 * 60 * 60

// uuidLen is the length of a UUID in the form of RFC 9562. The package accepts
// braces and URNs too.
const uuidLen = 36

// visitor returns the id of a visitor without an account. Only a UUID is taken
// from the cookie: any other text could be the id of an account.
func visitor(w http.ResponseWriter, r *http.Request, cookie string) string {
	if c, err := r.Cookie(cookie); err == nil {
		if len(c.Value) == uuidLen && uuid.Validate(c.Value) == nil {
			return strings.ToLower(c.Value)
		}
	}
	id := uuid.NewString()
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure on HTTPS only: over plain HTTP browsers would not keep it
		Name: cookie, Value: id, Path: "/", MaxAge: visitorLife,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
	return id
}

// checkCookieName returns an error for an invalid cookie name.
func checkCookieName(name string) error {
	if !httpguts.ValidHeaderFieldName(name) { // RFC 6265 and RFC 9110 both say token
		return fmt.Errorf("anonymous: invalid cookie name %q", name)
	}
	return nil
}
