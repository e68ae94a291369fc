package caddymodule_test

import (
	"fmt"
	"strings"
	"testing"
)

// providersAt are blocks with each kind of provider at a URL, with more options.
func providersAt(url, options string) map[string]string {
	return map[string]string{
		"backend":  "\n anonymous\n provider backend " + url + " {\n key {env.TEST_BACKEND_KEY}\n " + options + "\n }",
		"openai":   "\n anonymous\n provider openai {\n base_url " + url + "\n key {env.TEST_BACKEND_KEY}\n workflow w\n " + options + "\n }",
		"sendbird": "\n anonymous\n provider sendbird {\n host " + url + "\n app_id A\n api_token {env.TEST_BACKEND_KEY}\n " + options + "\n }",
	}
}

// A transport that cannot do what the configuration says is refused when it is
// loaded, and not found out by each request.
func TestTransportRefusals(t *testing.T) {
	const tlsOverHTTP = "transport: upstream address scheme is HTTP but transport is configured for HTTP+TLS (HTTPS)"
	for _, tt := range []struct{ name, url, transport, want string }{
		{"tls", "http://10.0.0.1", "transport http {\n tls\n }", tlsOverHTTP},
		{"tls_server_name", "http://10.0.0.1", "transport http {\n tls_server_name a.example\n }", tlsOverHTTP},
		{"tls_insecure_skip_verify", "HTTP://10.0.0.1", "transport http {\n tls_insecure_skip_verify\n }", tlsOverHTTP},
		{"tls over https", "https://10.0.0.1", "transport http {\n tls\n }", ""},
		{"no tls option over https", "https://10.0.0.1", "transport http {\n dial_timeout 1s\n }", ""},
		{"no TLS at all over https", "https://10.0.0.1", "transport fastcgi", "transport: upstream is configured for HTTPS but transport module does not support TLS: *fastcgi.Transport"},
		{"proxy_protocol v1", "http://10.0.0.1", "transport http {\n proxy_protocol v1\n }", "transport: proxy_protocol is not supported"},
		{"proxy_protocol v2 over https", "https://10.0.0.1", "transport http {\n tls\n proxy_protocol v2\n }", "transport: proxy_protocol is not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			for kind, block := range providersAt(tt.url, tt.transport) {
				err := s.TryLoad(block)
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), "provider "+kind+": ")) ||
					tt.want != "" && !strings.Contains(fmt.Sprint(err), tt.want) {
					t.Errorf("%s: got %v, want %q", kind, err, tt.want)
				}
			}
		})
	}
}

// A key that leaves the machine unencrypted is a warning.
func TestTransportKeyInTheClear(t *testing.T) {
	for url, want := range map[string]int{
		"http://chat.internal:8000": 1,
		"http://10.0.0.1":           1,
		"http://localhost.evil.com": 1,
		"https://chat.internal":     0,
		"http://localhost:8000":     0,
		"http://127.8.0.1":          0,
		"http://[::1]:8000":         0,
	} {
		t.Run(url, func(t *testing.T) {
			for kind, block := range providersAt(url, "") {
				s := newSite(t, block)
				if got := s.Logged("caddy.log", `"level":"warn"`, "is sent unencrypted; use https"); len(got) != want {
					t.Errorf("%s: got %q", kind, got)
				}
			}
			s := newSite(t, "\n anonymous\n provider backend "+url)
			if got := s.Logged("caddy.log", "is sent unencrypted"); len(got) != 0 {
				t.Errorf("without a key: got %q", got)
			}
		})
	}
}
