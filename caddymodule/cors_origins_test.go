package caddymodule_test

import (
	"crypto/tls"
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
		{"subdomain with all characters", "https://my-app_2.example.org", true, true},
		{"deeper subdomain", "https://a.b.example.org", false, false},
		{"no subdomain", "https://.example.org", false, false},
		{"path in a subdomain", "https://evil.test/.example.org", false, false},
		{"port in a subdomain", "https://evil:1.example.org", false, false},
		{"user in a subdomain", "https://evil@a.example.org", false, false},
		{"default port", "https://app.example.com:443", false, false}, // no browser sends it
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

// Origins are taken as operators write them, and compared as browsers send them.
func TestCORSOriginsAsWritten(t *testing.T) {
	t.Setenv("TEST_ORIGIN", "https://App.example.com:443")
	t.Setenv("TEST_DOMAIN", "example.com")
	for _, tt := range []struct{ name, written, sent string }{
		{"default port of https", "https://app.example.com:443", "https://app.example.com"},
		{"default port of http", "http://app.example.com:80", "http://app.example.com"},
		{"port of the other scheme", "https://app.example.com:80", "https://app.example.com:80"},
		{"in capitals", "HTTPS://App.Example.com", "https://app.example.com"},
		{"IDN", "https://bücher.example", "https://xn--bcher-kva.example"},
		{"IDN in capitals with a port", "https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443"},
		{"IDN behind a wildcard", "https://*.bücher.example", "https://a.xn--bcher-kva.example"},
		{"punycode", "https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		{"wildcard with the default port", "https://*.example.com:443", "https://a.example.com"},
		{"wildcard with a port", "https://*.example.com:8443", "https://a.example.com:8443"},
		{"IPv6", "http://[::1]:3000", "http://[::1]:3000"},
		{"placeholder", "{env.TEST_ORIGIN}", "https://app.example.com"},
		{"placeholder inside", "https://*.{env.TEST_DOMAIN}", "https://a.example.com"},
		{"app", "capacitor://localhost", "capacitor://localhost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, visitor+"\n cors {\n origins "+tt.written+"\n }")
			a := s.Session("Origin: " + tt.sent)
			if a.Status != http.StatusOK {
				t.Errorf("got %d", a.Status)
			}
			once(t, a, allowOrigin, tt.sent)
		})
	}
	for written, want := range map[string]string{
		"{env.TEST_UNSET}":          "cors: origins: origin: evaluated placeholder {env.TEST_UNSET} is empty",
		"https://{env.TEST_ORIGIN}": "cors: origins: invalid origin",
		"https://a\u2028ü.example":  "invalid origin",
	} {
		if err := newUnloadedSite(t).TryLoad(visitor + "\n cors {\n origins " + written + "\n }"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", written, err, want)
		}
	}
}

// A request with two origins is refused, with a list and without, and no answer
// allows more than one.
func TestCORSTwoOrigins(t *testing.T) {
	for name, options := range map[string]string{"open": "", "list": "\n cors {\n origins https://app.example.com\n }"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, visitor+options)
			for _, first := range []string{"https://app.example.com", "https://evil.test", s.URL} {
				raw := s.Raw(head(sized(0), "Connection: close", "Origin: "+first, "Origin: https://evil.test") + "\r\n")
				if !strings.HasPrefix(raw, "HTTP/1.1 403 ") || !strings.Contains(raw, "FORBIDDEN_ORIGIN") ||
					strings.Count(raw, "Access-Control-Allow-Origin: https") > 0 || strings.Count(raw, "Access-Control-Allow-Origin") > 1 {
					t.Errorf("%s: got %s", first, raw)
				}
			}
			if got := s.Backend.Calls(); got != 0 {
				t.Errorf("backend was called %d times", got)
			}
		})
	}
}

// A page of the same host that came over http is not the site where that uses TLS.
func TestCORSOwnHostOverHTTP(t *testing.T) {
	s := newUnloadedSite(t)
	s.LoadText(s.SecureCaddyfile(visitor + "\n cors {\n origins https://app.example.com\n }"))
	s.Client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	for origin, want := range map[string]int{
		s.URL: http.StatusOK,
		strings.Replace(s.URL, "https:", "http:", 1): http.StatusForbidden,
	} {
		if got := s.Session("Origin: " + origin); got.Status != want {
			t.Errorf("%s: got %d, want %d", origin, got.Status, want)
		}
	}
}
