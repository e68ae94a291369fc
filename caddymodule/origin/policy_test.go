package origin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// An origin the check lets through is one a browser can send.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.com", "https://*.example.com", "http://localhost:3000", "*", "null", "", "https://", "://", "https://*",
		"https://a.*.example.com", "https://example.com/", "https://user@example.com", "https://[::1]:8080", "https://exa mple.com",
		"https://app.example.com:443", "https://bücher.example", "https://*.bücher.example:8443", "HTTPS://APP.example.com", "https://{env.HOME}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		sent, err := parseOrigin(origin)
		if err != nil || strings.Contains(origin, "{") {
			return
		}
		concrete := strings.Replace(sent, "*.", "sub.", 1)
		u, err := url.Parse(concrete)
		if err != nil || u.Scheme+"://"+u.Host != concrete {
			t.Errorf("%q was let through", origin)
		}
		p, err := NewPolicy(&CORSConfig{Origins: []string{origin}})
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Method: http.MethodPost, Host: "elsewhere.test", Header: http.Header{"Origin": {concrete}}}
		if p.Check(r) != nil {
			t.Errorf("%q does not let %q in", origin, concrete)
		}
		r.Header.Set("Origin", "https://evil.test")
		if sent != "https://evil.test" && sent != "https://*.test" && p.Check(r) == nil {
			t.Errorf("%q lets evil.test in", origin)
		}
	})
}
