package block_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// A value comes out resolved and trimmed; an error names the field and the
// placeholder.
func TestResolver(t *testing.T) {
	t.Setenv("BLOCK_TEST_SET", " planted\n")
	t.Setenv("BLOCK_TEST_BLANK", " \t")
	r := block.NewResolver()
	for _, c := range []struct {
		name, value, want string
		resolve           func(field, value string) (string, error)
	}{
		{"optional", "{env.BLOCK_TEST_SET}", "planted", r.Optional},
		{"optional and left out", "", "", r.Optional},
		{"required", "a", "a", r.Required},
		{"required and left out", "", "field is missing", r.Required},
		{"unset", "{env.BLOCK_TEST_UNSET}", "field: evaluated placeholder {env.BLOCK_TEST_UNSET} is empty", r.Required},
		{"blank", "{env.BLOCK_TEST_BLANK}", "field: {env.BLOCK_TEST_BLANK} is empty", r.Optional},
		{"of a request", "{http.request.host}", "field: unrecognized placeholder {http.request.host}", r.Optional},
	} {
		got, err := c.resolve("field", c.value)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestResolverSecret(t *testing.T) {
	t.Setenv("BLOCK_TEST_SECRET", "planted")
	t.Setenv("BLOCK_TEST_LINES", "planted\r\nX-Admin: 1")
	r := block.NewResolver()
	if s, err := r.Secret("key", "{env.BLOCK_TEST_SECRET}"); err != nil || s.Reveal() != "planted" {
		t.Errorf("got %q, %v", s.Reveal(), err)
	}
	for value, want := range map[string]string{
		"{env.BLOCK_TEST_LINES}": "key: value has characters that are not allowed in a header",
		"{env.BLOCK_TEST_UNSET}": "key: evaluated placeholder {env.BLOCK_TEST_UNSET} is empty",
	} {
		if s, err := r.Secret("key", value); s != "" || err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", value, err, want)
		}
	}
}

func TestResolverURL(t *testing.T) {
	t.Setenv("BLOCK_TEST_URL", "https://user:planted@example.com")
	for value, want := range map[string]string{
		"http://a":             "http://a/",
		"HTTPS://a:8443/b":     "https://a:8443/b",
		"":                     "url is missing",
		"a":                    "url: a does not begin with http:// or https://",
		"ftp://a":              "url: ftp://a does not begin with http:// or https://",
		"http://":              "url: http:// has no host",
		"http://:80":           "url: http://:80 has no host",
		"http:///a":            "url: http:///a has no host",
		"http://a:8o":          "url: invalid URL http://a:8o",
		"http://a?b=c":         "url: http://a?b=c must not have a query or a fragment",
		"http://a/#b":          "url: http://a/#b must not have a query or a fragment",
		"http://me@a":          "url: credentials are not allowed; use key for them",
		"{env.BLOCK_TEST_URL}": "url: credentials are not allowed; use key for them",
	} {
		u, err := block.NewResolver().URL("url", value, "key")
		got := fmt.Sprint(u)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// A value with a placeholder is not checked before the configuration is loaded.
func TestLiterally(t *testing.T) {
	resolve := func(r block.Resolver) (string, error) { return r.Required("field", "") }
	if err := block.Literally("{env.BLOCK_TEST_UNSET}", resolve); err != nil {
		t.Errorf("placeholder: %v", err)
	}
	if err := block.Literally("a", resolve); err == nil || err.Error() != "field is missing" {
		t.Errorf("literal: %v", err)
	}
	for value, want := range map[string]bool{"": false, "sk-1": true, "{env.KEY}": false} {
		if got := block.LiteralSecret(value); got != want {
			t.Errorf("LiteralSecret(%q) is %t", value, got)
		}
	}
}

func TestHeaderNames(t *testing.T) {
	if err := block.HeaderNames("headers", []string{"x-a", "Content-Type"}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "a b", "a:", "ä"} {
		err := block.HeaderNames("headers", []string{"x-a", name})
		if err == nil || !strings.HasPrefix(err.Error(), `headers: invalid header name "`+name) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if got, want := block.Canonical([]string{"x-a", "TE"}), []string{"X-A", "Te"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
