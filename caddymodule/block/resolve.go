package block

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Resolver replaces the placeholders of configured values at load time, such as
// {env.*} and {file.*}. Its errors name the field and never show a resolved
// value.
type Resolver struct{ repl *caddy.Replacer }

// NewResolver returns a resolver with Caddy's global placeholders.
func NewResolver() Resolver { return Resolver{caddy.NewReplacer()} }

// Required resolves a field that must not be empty.
func (r Resolver) Required(field, value string) (string, error) {
	if value == "" {
		return "", fmt.Errorf("%s is missing", field)
	}
	return r.Optional(field, value)
}

// Optional resolves a field that may be left out. A placeholder without a value
// is an error.
func (r Resolver) Optional(field, value string) (string, error) {
	out, err := r.repl.ReplaceOrErr(value, true, true)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	out = strings.TrimSpace(out)
	if out == "" && value != "" {
		return "", fmt.Errorf("%s: %s is empty", field, value)
	}
	return out, nil
}

// Secret resolves a field that holds a credential for a header.
func (r Resolver) Secret(field, value string) (session.Secret, error) {
	out, err := r.Optional(field, value)
	if err != nil {
		return "", err
	}
	if !httpguts.ValidHeaderFieldValue(out) {
		return "", fmt.Errorf("%s: value has characters that are not allowed in a header", field)
	}
	return session.Secret(out), nil
}

// URL resolves a required base address: http or https, a host, optionally a
// path. It must not hold credentials, which would end up in logs; secret is the
// option for those.
func (r Resolver) URL(field, value, secret string) (*url.URL, error) {
	out, err := r.Required(field, value)
	if err != nil {
		return nil, err
	}
	return BaseURL(field, value, out, secret)
}

// BaseURL parses out, the base address that value was resolved to, as
// [Resolver.URL] does.
func BaseURL(field, value, out, secret string) (*url.URL, error) {
	if lower := strings.ToLower(out); !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		return nil, fmt.Errorf("%s: %s does not begin with http:// or https://", field, value)
	}
	u, err := url.Parse(out)
	switch {
	case err != nil: // its text may show part of a resolved value
		return nil, fmt.Errorf("%s: invalid URL %s", field, value)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%s: %s has no host", field, value)
	case u.User != nil:
		return nil, fmt.Errorf("%s: credentials are not allowed; use %s for them", field, secret)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: %s must not have a query or a fragment", field, value)
	}
	if u.Path == "" {
		u.Path = "/" // else JoinPath makes a path without a leading slash
	}
	return u, nil
}

// Path resolves a path at a server, with its query if it has one.
func (r Resolver) Path(field, value string) (*url.URL, error) {
	out, err := r.Required(field, value)
	if err != nil {
		return nil, err
	}
	u, err := url.ParseRequestURI(out)
	switch {
	case !strings.HasPrefix(out, "/"):
		return nil, fmt.Errorf("%s: %q does not begin with a slash", field, value)
	case err != nil, strings.ContainsRune(out, '#'):
		return nil, fmt.Errorf("%s: invalid path %q (want /path or /path?query, '#' written as %%23)", field, value)
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return nil, fmt.Errorf("%s: invalid query in %q (want name=value, joined by '&')", field, value)
	}
	return u, nil
}

// Literally checks a value without placeholders while its line is still known.
// A value with placeholders is checked when the configuration is loaded.
func Literally[T any](value string, resolve func(Resolver) (T, error)) error {
	if strings.Contains(value, "{") {
		return nil
	}
	_, err := resolve(NewResolver())
	return err
}

// LiteralSecret reports whether a credential is written into the configuration
// itself, where /config/ shows it.
func LiteralSecret(value string) bool {
	return value != "" && !strings.Contains(value, "{")
}

// HeaderNames returns an error for the first invalid header name.
func HeaderNames(field string, names []string) error {
	for _, n := range names {
		if !httpguts.ValidHeaderFieldName(n) {
			return fmt.Errorf("%s: invalid header name %q", field, n)
		}
	}
	return nil
}

// Canonical returns the canonical form of header names.
func Canonical(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = http.CanonicalHeaderKey(n)
	}
	return out
}
