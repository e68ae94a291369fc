package identity

import (
	"crypto/hmac"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"
)

const (
	// visitorLife is how long a visitor keeps its id, in seconds: 30 days, as the
	// starter app has it.
	visitorLife = 30 * 24 * 60 * 60

	// visitorPrefix begins the id of a visitor upstream, so that no account has it.
	visitorPrefix = "anon-"

	// hostPrefix begins the name of the cookie on HTTPS. Browsers then take it
	// from this host only: another one of the domain could plant a plain one.
	hostPrefix = "__Host-"
)

// visitors gives an id to people without an account, in a signed cookie.
type visitors struct {
	cookie string // its name over plain HTTP, "" where everybody needs an account
	*signer
}

// identify returns the id of the visitor who asks. One without a cookie that we have
// signed is new.
func (v *visitors) identify(w http.ResponseWriter, r *http.Request) string {
	if known := v.known(r); known != "" {
		return known
	}
	secure, id := overHTTPS(r), uuid.NewString()
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure on HTTPS only: over plain HTTP browsers would not keep it
		Name: v.name(r), Value: id + "." + v.sign(id, hostname(r)), Path: "/", MaxAge: visitorLife,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
	return visitorPrefix + id
}

// name returns the name of the cookie.
func (v *visitors) name(r *http.Request) string {
	if overHTTPS(r) {
		return hostPrefix + v.cookie
	}
	return v.cookie
}

// known returns the id of a visitor with a cookie that we have signed, "" for others.
func (v *visitors) known(r *http.Request) string {
	for _, c := range r.CookiesNamed(v.name(r)) {
		id, mac, _ := strings.Cut(c.Value, ".")
		if hmac.Equal([]byte(mac), []byte(v.sign(id, hostname(r)))) {
			return visitorPrefix + id
		}
	}
	return ""
}

// removeFrom removes the cookie from a request that goes to a backend.
func (v *visitors) removeFrom(h http.Header) {
	if v.cookie != "" {
		removeCookie(h, v.cookie)
		removeCookie(h, hostPrefix+v.cookie)
	}
}

// removeCookie removes a cookie of ours from a request, and leaves the others as
// they came.
func removeCookie(h http.Header, name string) {
	lines := h["Cookie"]
	h.Del("Cookie")
	for _, line := range lines {
		pairs := slices.DeleteFunc(strings.Split(line, ";"), func(pair string) bool {
			n, _, _ := strings.Cut(pair, "=")
			return strings.TrimSpace(n) == name
		})
		if line = strings.TrimSpace(strings.Join(pairs, ";")); line != "" {
			h.Add("Cookie", line)
		}
	}
}

// overHTTPS reports whether the client uses HTTPS, maybe up to a trusted proxy.
func overHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	proto := r.Header["X-Forwarded-Proto"]
	return trusted && len(proto) > 0 && strings.EqualFold(proto[len(proto)-1], "https")
}

// hostname returns the host of a request without its port, which cookies do not
// distinguish either.
func hostname(r *http.Request) string {
	if !strings.Contains(r.Host, ":") {
		return strings.ToLower(r.Host)
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return strings.ToLower(host)
}

// IsVisitor reports whether a user's id is one that visitors have.
func IsVisitor(user string) bool {
	const length = len(visitorPrefix) + len("00000000-0000-0000-0000-000000000000")
	return len(user) == length && strings.EqualFold(user[:len(visitorPrefix)], visitorPrefix) &&
		uuid.Validate(user[len(visitorPrefix):]) == nil
}
