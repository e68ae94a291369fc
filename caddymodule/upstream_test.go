package caddymodule_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// nosy is what a client may send that is none of the providers' business.
var nosy = []string{
	"Cookie: chatkit_session_id=" + visitorID + "; sid=s", "Origin: https://app.example.com", "Referer: https://app.example.com/x",
	"Authorization: Bearer of-the-client", "Proxy-Authorization: Basic x", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil.test",
	"Forwarded: for=6.6.6.6", "X-Real-Ip: 6.6.6.6", "Te: trailers", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__",
	"Connection: X-Foo, Upgrade, HTTP2-Settings, X-Auth-Token", "X-Foo: foo", "Keep-Alive: timeout=5", "User-Agent: of-the-client",
	"Accept: text/html", "Accept-Language: de", "Accept-Encoding: br", "X-Api-Key: k", "X-Auth-Token: t", "OpenAI-Organization: org-evil",
	"OpenAI-Beta: evil=v9", "X-Http-Method-Override: DELETE", "Content-Type: text/plain", "X-Request-Id: req-1",
}

// Only what the provider's API asks for is sent, with our own values.
func TestUpstreamHeaders(t *testing.T) {
	backend := map[string]string{
		"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "caddy-chatkit",
		"Authorization": "Bearer " + testsite.BackendKey, "X-Request-Id": "req-1", "Content-Length": "#",
	}
	openai := maps.Clone(backend)
	maps.Copy(openai, map[string]string{"Authorization": "Bearer " + testsite.OpenAIKey, "Openai-Beta": "chatkit_beta=v1"})
	s := newSite(t, visitor+"\n cors {\n origins https://app.example.com\n }")
	testsite.Set(t, s.Backend, sandbox.Status500)
	w := s.Dial()
	const body = `{"model":"m"}`
	w.Send(head(append(nosy, sized(len(body)))...), body)
	if a, ok := w.Answer(); !ok || a.Provider() != "openai" {
		t.Fatalf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
	}
	for _, up := range []struct {
		server *sandbox.Server
		want   map[string]string
	}{{s.Backend, backend}, {s.OpenAI, openai}} {
		r := up.server.Requests()[0]
		if got, want := slices.Sorted(maps.Keys(r.Header)), slices.Sorted(maps.Keys(up.want)); !slices.Equal(got, want) {
			t.Errorf("sent headers %q, want %q", got, want)
		}
		for name, want := range up.want {
			if got := r.Header.Values(name); want != "#" && !slices.Equal(got, []string{want}) {
				t.Errorf("sent %s %q, want %q", name, got, want)
			}
		}
		if want := strings.TrimPrefix(up.server.URL(), "http://"); r.Host != want || r.Query != "" {
			t.Errorf("asked %s?%s, want %s and no query", r.Host, r.Query, want)
		}
	}
}

// Headers that are named are passed on, and then a refusal is about the caller,
// who may also have left the header out.
func TestForwardHeaders(t *testing.T) {
	const token = "X-Auth-Token: of-the-client"
	tests := []struct {
		name     string
		fault    sandbox.Fault
		headers  []string
		status   int
		provider string
		reason   string
	}{
		{"present, served", sandbox.None, []string{token}, 200, "backend", ""},
		{"present, 401", sandbox.Status401, []string{token}, 401, "backend", ""},
		{"present, 403", sandbox.Status403, []string{token}, 403, "backend", ""},
		{"present, 500", sandbox.Status500, []string{token}, 200, "openai", "status_5xx"},
		{"present, 404", sandbox.Status404, []string{token}, 200, "openai", "misconfigured"},
		{"absent, 401", sandbox.Status401, nil, 401, "backend", ""},
		{"absent, 403", sandbox.Status403, nil, 403, "backend", ""},
		{"another header, 401", sandbox.Status401, []string{"X-Other: x"}, 401, "backend", ""},
	}
	block := strings.Replace(visitor, "retries 0", "retries 0\n forward_headers x-auth-token X-Tenant", 1)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, block)
			testsite.Set(t, s.Backend, tt.fault)
			a := s.Post("/api/custom/session", "", tt.headers...)
			if a.Status != tt.status || a.Provider() != tt.provider || a.Reason() != tt.reason {
				t.Errorf("got %d from %q because %q: %s", a.Status, a.Provider(), a.Reason(), a.Raw)
			}
			if tt.status >= 400 {
				checkError(t, a, "REJECTED")
			}
			want := ""
			if len(tt.headers) > 0 && tt.headers[0] == token {
				want = "of-the-client"
			}
			h := s.Backend.Requests()[0].Header
			if h.Get("X-Auth-Token") != want || h.Get("X-Other") != "" || h.Get("Authorization") != "Bearer "+testsite.BackendKey {
				t.Errorf("sent %v", h)
			}
			for _, r := range s.OpenAI.Requests() {
				if r.Header.Get("X-Auth-Token") != "" {
					t.Error("openai got the token")
				}
			}
		})
	}
}
