package caddymodule_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A cors block lets the origins on its list in, with credentials, and nobody else.
func TestCORSOrigins(t *testing.T) {
	s := newSite(t, visitor+"\n cors {\n origins https://app.example.com https://*.example.org http://localhost:3000\n }")
	tests := []struct {
		name, origin string
		allowed      bool
		echoed       bool
	}{
		{"exact", "https://app.example.com", true, true},
		{"in capitals", "https://APP.example.com", true, true},
		{"with a port", "http://localhost:3000", true, true},
		{"subdomain", "https://a.example.org", true, true},
		{"deeper subdomain", "https://a.b.example.org", true, true},
		{"the site itself", s.URL, true, false},
		{"none", "", true, false},
		{"null", "null", false, false},
		{"other scheme", "http://app.example.com", false, false},
		{"other port", "https://app.example.com:8443", false, false},
		{"other port of localhost", "http://localhost:3001", false, false},
		{"bare domain of a wildcard", "https://example.org", false, false},
		{"ends alike", "https://evil-example.org", false, false},
		{"wildcard in the middle", "https://a.example.org.evil.test", false, false},
		{"exact in the middle", "https://app.example.com.evil.test", false, false},
		{"subdomain of an exact one", "https://a.app.example.com", false, false},
		{"the wildcard itself", "https://*.example.org.evil.test", false, false},
		{"any other", "https://evil.test", false, false},
		{"garbage", "://", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Backend.Clear()
			a := s.Post("/api/custom/session", "", "Origin: "+tt.origin)
			echo, credentials, calls := "", "", 1
			if tt.echoed {
				echo, credentials = tt.origin, "true"
			}
			if tt.allowed && a.Status != http.StatusOK {
				t.Errorf("got %d, want 200: %s", a.Status, a.Raw)
			}
			if !tt.allowed {
				calls = 0
				if a.Status != http.StatusForbidden || a.Body["code"] != "FORBIDDEN_ORIGIN" {
					t.Errorf("got %d, want 403 FORBIDDEN_ORIGIN: %s", a.Status, a.Raw)
				}
			}
			if got := s.Backend.Calls(); got != calls {
				t.Errorf("backend was called %d times, want %d", got, calls)
			}
			once(t, a, allowOrigin, echo)
			once(t, a, allowCredentials, credentials)
			if !slices.Contains(a.Header.Values("Vary"), "Origin") {
				t.Errorf("Vary is %q, want Origin in it", a.Header.Values("Vary"))
			}
			// Browsers go by the preflight, which must say the same.
			a = s.Do(http.MethodOptions, "/api/custom/session", "", "Origin: "+tt.origin,
				"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-any")
			if tt.origin != "" {
				once(t, a, allowOrigin, echo)
				once(t, a, allowCredentials, credentials)
			}
		})
	}
}

// Errors can be read by the origins that are let in, too.
func TestCORSOriginsOnErrors(t *testing.T) {
	for _, c := range situations {
		if c.block != "" || c.method == "BREW" { // which no browser sends: its preflight is refused
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			c.block = visitor + "\n cors {\n origins https://app.example.com\n }"
			a := c.ask(c.start(t), "Origin: https://app.example.com")
			once(t, a, allowOrigin, "https://app.example.com")
			once(t, a, allowCredentials, "true")
			if a.Status != c.status {
				t.Errorf("got %d, want %d: %s", a.Status, c.status, a.Raw)
			}
		})
	}
}

// The other options of the cors block.
func TestCORSOptions(t *testing.T) {
	const own = "Retry-After, X-Request-Id, X-Chatkit-Provider, X-Chatkit-Fallback-Reason"
	tests := []struct {
		name, options  string
		asked, allowed string // headers of the preflight
		expose, maxAge string
	}{
		{"none", "", "x-one", "x-one", own, ""},
		{"expose", "expose X-Trace x-span", "x-one", "x-one", own + ", X-Trace, X-Span", ""},
		{"max_age", "max_age 10m", "x-one", "x-one", own, "600"},
		{"headers, asked for one of them", "headers X-One X-Two", "x-two", "x-two", own, ""},
		{"headers, asked for another", "headers X-One X-Two", "x-three", "", own, ""},
		{"all with origins", "origins https://app.example.com\n headers X-One\n expose X-Trace\n max_age 1h", "x-one", "x-one", own + ", X-Trace", "3600"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, visitor+"\n cors {\n "+tt.options+"\n }")
			const origin = "Origin: https://app.example.com"
			if got := strings.Join(s.Post("/api/custom/session", "", origin).Header.Values(exposeHeaders), ", "); got != tt.expose {
				t.Errorf("exposed are %s, want %s", got, tt.expose)
			}
			a := s.Do(http.MethodOptions, "/api/custom/session", "", origin,
				"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: "+tt.asked)
			once(t, a, allowHeaders, tt.allowed)
			if tt.allowed != "" {
				once(t, a, "Access-Control-Max-Age", tt.maxAge)
			}
		})
	}
}
