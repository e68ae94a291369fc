package origin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
)

// Policy puts the CORS headers on every claimed answer.
type Policy struct {
	*cors.Cors
	open bool // no allowlist: the documented pair of headers
}

// NewPolicy builds the policy. It allows all origins if c names none. Scripts may read
// the headers in exposed, and those that c names.
func NewPolicy(c *CORSConfig, exposed ...string) (*Policy, error) {
	origins, err := newOrigins(c.Origins)
	if err != nil {
		return nil, fmt.Errorf("cors: origins: %w", err)
	}
	o := cors.Options{
		// All, so that scripts can read a problem too. The routes themselves take
		// POST only.
		AllowedMethods:   []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders:   c.Headers,
		ExposedHeaders:   slices.Concat(exposed, c.Expose),
		MaxAge:           int(time.Duration(c.MaxAge) / time.Second),
		AllowCredentials: true,
		// rs/cors sets the headers, and nothing else.
		OptionsPassthrough: true,
	}
	if len(o.AllowedHeaders) == 0 {
		o.AllowedHeaders = []string{"*"} // whatever is asked for is echoed
	}
	if len(origins) > 0 { // none: all
		o.AllowOriginFunc = origins.allow
	}
	return &Policy{Cors: cors.New(o), open: len(origins) == 0}, nil
}

// Preflight puts the headers on the answer, and answers OPTIONS itself.
func (p *Policy) Preflight(w http.ResponseWriter, r *http.Request) bool {
	if !manyOrigins(r) { // rs/cors would allow all of them if it allows the first
		p.ServeHTTP(w, r, func(http.ResponseWriter, *http.Request) {})
	}
	h := w.Header()
	if p.open && h["Access-Control-Allow-Origin"] == nil {
		// Answers to clients without an Origin and to unknown methods have the
		// documented pair too.
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	unshare(h)
	if r.Method != http.MethodOptions {
		return false
	}
	if r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Allow", "POST, OPTIONS")
	}
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// corsHeaders are the headers whose values rs/cors shares among all answers.
var corsHeaders = [...]string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age", "Vary",
}

// unshare gives the answer values of its own. Caddy's header directive may change
// them in place, which would change the answers of other sites too.
func unshare(h http.Header) {
	values := make([]string, 0, len(corsHeaders))
	for _, name := range corsHeaders {
		if v := h[name]; len(v) == 1 {
			values = append(values, v[0])
			h[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
}

// Check refuses requests of other origins: with a list those that are not on it,
// without one those that carry what the browser adds by itself. Clients other than
// browsers are allowed.
func (p *Policy) Check(r *http.Request) *problem.Problem {
	switch {
	case manyOrigins(r):
		return forbidden("A request has one origin at most")
	case p.open && otherOrigin(r) && ambient(r.Header):
		return forbidden("This origin needs to be on an allowlist (cors) to send credentials")
	case p.open, r.Header.Get("Origin") == "", p.OriginAllowed(r), ownOrigin(r):
		return nil
	}
	return forbidden("This origin is not on the allowlist")
}

func forbidden(details string) *problem.Problem {
	return &problem.Problem{Status: http.StatusForbidden, Code: problem.CodeForbiddenOrigin, Title: "Origin not allowed", Details: details}
}

// otherOrigin reports whether a browser says that a page of another origin made the
// request, as in [http.CrossOriginProtection].
func otherOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
		return r.Header.Get("Origin") != "" && !ownOrigin(r)
	case "same-origin", "none":
		return false
	}
	return true
}

// manyOrigins reports whether a request names more than one origin. No browser
// sends that.
func manyOrigins(r *http.Request) bool { return len(r.Header["Origin"]) > 1 }

// ownOrigin reports whether the request's origin is the site itself. A page that
// came over http may be anybody's, so it is not the site where that uses TLS. Where
// a proxy in front ends TLS, the scheme is not known.
func ownOrigin(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || strings.EqualFold(u.Scheme, "https"))
}

// ambient reports whether a request carries credentials that a browser can add by
// itself: a cookie, or the password of basic authentication. Any page can make it
// do that, and act as the visitor although it cannot read the answer. A bearer
// token is set by a script, which takes a preflight.
func ambient(h http.Header) bool {
	if h.Get("Cookie") != "" {
		return true
	}
	authorization := h.Get("Authorization")
	return authorization != "" && identity.Bearer(h) == ""
}
