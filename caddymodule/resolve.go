package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"
)

// resolver replaces the placeholders of a configuration at load time. Its
// errors name the field and never show a resolved value.
type resolver struct{ repl *caddy.Replacer }

func newResolver() resolver { return resolver{caddy.NewReplacer()} }

// required resolves a field that must not be empty.
func (r resolver) required(field, value string) (string, error) {
	if value == "" {
		return "", fmt.Errorf("%s is missing", field)
	}
	return r.optional(field, value)
}

// optional resolves a field that may be left out, but not given and unset.
func (r resolver) optional(field, value string) (string, error) {
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

// secret resolves a field that holds a credential for a header.
func (r resolver) secret(field, value string) (Secret, error) {
	out, err := r.optional(field, value)
	if err != nil {
		return "", err
	}
	if !httpguts.ValidHeaderFieldValue(out) {
		return "", fmt.Errorf("%s: value holds characters that no header can carry", field)
	}
	return Secret(out), nil
}

// url resolves the base address of a server: http or https, a host, perhaps a
// path. A password in it would end up in logs, a query would be lost.
func (r resolver) url(field, value string) (*url.URL, error) {
	out, err := r.required(field, value)
	if err != nil {
		return nil, err
	}
	return baseURL(field, value, out, "key")
}

// baseURL parses the base address out that value was resolved to. secret is the
// option for what must not stand in it.
func baseURL(field, value, out, secret string) (*url.URL, error) {
	if lower := strings.ToLower(out); !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		return nil, fmt.Errorf("%s: %s does not begin with http:// or https://", field, value)
	}
	u, err := url.Parse(out)
	switch {
	case err != nil: // whose text may show part of a resolved value
		return nil, fmt.Errorf("%s: %s is no URL", field, value)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%s: %s names no host", field, value)
	case u.User != nil:
		return nil, fmt.Errorf("%s: holds credentials; use %s for them", field, secret)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: %s has a query or a fragment", field, value)
	}
	if u.Path == "" {
		u.Path = "/" // else JoinPath makes a path without a leading slash
	}
	return u, nil
}

// headerNames checks the names of headers.
func headerNames(field string, names []string) error {
	for _, n := range names {
		if !httpguts.ValidHeaderFieldName(n) {
			return fmt.Errorf("%s: %q is no header name", field, n)
		}
	}
	return nil
}

// literalSecret tells whether a credential stands in the configuration itself,
// where /config/ shows it.
func literalSecret(value string) bool {
	return value != "" && !strings.Contains(value, "{")
}

// canonical returns the canonical form of header names.
func canonical(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = http.CanonicalHeaderKey(n)
	}
	return out
}
