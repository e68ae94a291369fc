package identity

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
)

// userSource is a text with placeholders that may name the user.
type userSource struct {
	text string
	key  string // where the text is one placeholder and nothing else
}

func newUserSources(texts []string) []userSource {
	if len(texts) == 0 {
		texts = []string{DefaultUser}
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

// Placeholders returns the placeholders in a text.
func Placeholders(text string) []string { return placeholder.FindAllString(text, -1) }

// CheckUsers returns an error for a source without a placeholder, which would make
// everybody one user.
func CheckUsers(texts []string) error {
	for _, text := range texts {
		if !placeholder.MatchString(text) {
			return fmt.Errorf("user: %q has no placeholder (want {http.auth.user.id}, for instance)", text)
		}
	}
	return nil
}

// Users says who asks.
type Users struct {
	sources  []userSource
	visitors visitors
}

// NewUsers finds users in the texts, and gives others an id where anonymous is not
// nil.
func NewUsers(ctx caddy.Context, texts []string, anonymous *AnonymousConfig) (u Users, err error) {
	u.sources = newUserSources(texts)
	if anonymous != nil {
		u.visitors.cookie = cmp.Or(anonymous.Cookie, defaultCookie)
		key, err := anonymous.key(ctx)
		if err != nil {
			return u, err
		}
		u.visitors.signer = newSigner(key)
	}
	return u, nil
}

// Identify returns the user of a request, and whether it is a visitor. The body has
// no say in it.
func (u *Users) Identify(w http.ResponseWriter, r *http.Request, repl *caddy.Replacer) (user string, visits bool, p *problem.Problem) {
	for _, s := range u.sources {
		user := strings.TrimSpace(s.value(repl))
		switch {
		case user == "":
		case !utf8.ValidString(user): // JSON would turn two users into one: both "J\ufffdrg"
			return "", false, problem.Unauthorized("The user's id is not valid UTF-8")
		case IsVisitor(user):
			return "", false, problem.Unauthorized("The user's id is one of a visitor without an account")
		default:
			return user, false, nil
		}
	}
	if u.visitors.cookie == "" {
		return "", false, problem.Unauthorized("No user is logged in")
	}
	return u.visitors.identify(w, r), true, nil
}

// Account returns the user that the site's own sources name, "" for none.
func (u *Users) Account(repl *caddy.Replacer) string {
	for _, s := range u.sources {
		if user := strings.TrimSpace(s.value(repl)); user != "" {
			return user
		}
	}
	return ""
}

// Visitor returns the id of a visitor that we have given one, "" for others.
func (u *Users) Visitor(r *http.Request) string {
	if u.visitors.cookie == "" {
		return ""
	}
	return u.visitors.known(r)
}

// RemoveCookie removes the visitors' cookie from a request that goes to a backend.
func (u *Users) RemoveCookie(h http.Header) { u.visitors.removeFrom(h) }
