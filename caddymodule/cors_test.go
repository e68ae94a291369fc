package caddymodule_test

import (
	"net/http"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
)

// once checks that a header stands on an answer exactly once ("": not at all).
func once(t *testing.T, a answer, name, want string) {
	t.Helper()
	got := a.Header.Values(name)
	if want == "" && len(got) == 0 || len(got) == 1 && got[0] == want {
		return
	}
	t.Errorf("%s is %q, want %q once", name, got, want)
}

// Without a cors block the documented pair stands on every claimed answer.
func TestCORSPairOnEveryAnswer(t *testing.T) {
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			s := c.start(t)
			for _, headers := range [][]string{nil, {"Origin: https://app.example.com"}, {"Origin: null"}, {"Origin: " + s.URL}} {
				a := c.ask(s, headers...)
				once(t, a, allowOrigin, "*")
				once(t, a, allowCredentials, "true")
				if a.Header.Get("Vary") == "" {
					t.Errorf("no Vary with %q", headers)
				}
			}
		})
	}
}

// A preflight is answered here, whatever has become of the providers.
func TestCORSPreflight(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		asked   string // the headers asked for, which come back
	}{
		{"ChatKit's own headers", []string{"Access-Control-Request-Method: POST"}, "chatkit-device-id,chatkit-frame-instance-id,content-type"},
		{"any header", []string{"Access-Control-Request-Method: POST"}, "x-anything"},
		{"no header", []string{"Access-Control-Request-Method: POST"}, ""},
		{"another method", []string{"Access-Control-Request-Method: DELETE"}, "content-type"},
		{"unknown method", []string{"Access-Control-Request-Method: BREW"}, ""},
		{"null origin", []string{"Access-Control-Request-Method: POST", "Origin: null"}, "content-type"},
		{"no origin", []string{"Access-Control-Request-Method: POST", "Origin: "}, ""},
		{"no method", nil, ""},
	}
	s := newSite(t, quick("")) // a preflight carries no user
	testsite.Set(t, s.Backend, sandbox.Refuse)
	testsite.Set(t, s.OpenAI, sandbox.Refuse)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers := append([]string{"Origin: https://app.example.com"}, tt.headers...)
			if tt.asked != "" {
				headers = append(headers, "Access-Control-Request-Headers: "+tt.asked)
			}
			a := s.Do(http.MethodOptions, "/api/custom/session", "", headers...)
			if a.Status != http.StatusNoContent || a.Raw != "" {
				t.Errorf("got %d %q, want 204 and no body", a.Status, a.Raw)
			}
			once(t, a, allowOrigin, "*")
			once(t, a, allowCredentials, "true")
			once(t, a, allowHeaders, tt.asked)
		})
	}
	if a := s.Do(http.MethodOptions, "/api/custom/session", ""); a.Header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("Allow is %q, want POST, OPTIONS", a.Header.Get("Allow"))
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 0 {
		t.Errorf("the providers were asked %d times, want never", got)
	}
	if got := len(s.Logged("caddy.log", `"attempt"`)); got != 0 {
		t.Errorf("%d attempts were logged, want none", got)
	}
}

// A header directive that changes a value changes it on its own site only, and
// not for ever.
func TestCORSHeadersAreNotShared(t *testing.T) {
	const origin = "Origin: https://app.example.com"
	preflight := func(s *site) answer {
		return s.Do(http.MethodOptions, "/api/custom/session", "", origin, "Access-Control-Request-Method: POST")
	}
	changed := newSiteBehind(t, "header >Access-Control-Allow-Origin \\* https://one.test", visitor)
	once(t, changed.Post("/api/custom/session", "", origin), allowOrigin, "https://one.test")
	once(t, preflight(changed), allowOrigin, "https://one.test")
	s := newSite(t, visitor)
	once(t, s.Post("/api/custom/session", "", origin), allowOrigin, "*")
	once(t, preflight(s), allowOrigin, "*")
}
