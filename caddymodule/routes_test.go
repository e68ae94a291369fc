package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// claims tells whether the site answers a path itself, and by whom.
func claims(s *site, path string) (bool, answer) {
	s.T.Helper()
	a := s.Post(path, "")
	return a.Header.Get("X-Request-Id") != "", a
}

// The default paths, and what only looks like them.
func TestDefaultRoutes(t *testing.T) {
	tests := []struct{ path, provider string }{ // "" where it is not claimed
		{"/api/custom/session", "backend"},
		{"/api/create-session", "backend"},
		{"/api/chatkit/session", "backend"},
		{"/api/custom/refresh", "backend"},
		{"/api/chatkit/refresh", "backend"},
		{"/api/custom/session?a=b", "backend"},
		{"/api/custom/session/", ""},
		{"/api/custom/sessions", ""},
		{"/api/custom/session/x", ""},
		{"/api/custom/Session", ""},
		{"/API/custom/session", ""},
		{"//api/custom/session", ""},
		{"/api//custom/session", ""},
		{"/api/custom/./session", ""},
		{"/api/x/../custom/session", ""},
		{"/api/custom%2Fsession", ""},
		{"/api/custom/%73ession", "backend"},
		{"/%61pi/cu%73tom/session", "backend"},
		{"/api/custom%2fsession", ""},
		{"/api/custom/%2e/session", ""},
		{"/api/custom/session%2F", ""},
		{"/api/custom/session%20", ""},
		{"/api/custom/session%00", ""},
		{"/api/custom/session;a=b", ""},
		{"/x/api/custom/session", ""},
		{"/api/custom/", ""},
		{"/api/chatkit", ""},
		{"/chatkit", ""},
		{"/", ""},
	}
	s := newSite(t, visitor)
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			s.Backend.Clear()
			s.OpenAI.Clear()
			claimed, a := claims(s, tt.path)
			if claimed != (tt.provider != "") || a.Provider() != tt.provider || a.Reason() != "" {
				t.Errorf("got %d from %q, want %q: %s", a.Status, a.Provider(), tt.provider, a.Raw)
			}
			if want := map[string]int{"backend": 1}[tt.provider]; s.Backend.Calls() != want {
				t.Errorf("backend was called %d times, want %d", s.Backend.Calls(), want)
			}
			if !claimed && a.Status != http.StatusTeapot {
				t.Errorf("got %d, want the app's 418", a.Status)
			}
		})
	}
}

// Routes as configured: paths replace defaults, off switches a kind off, a
// route may have providers of its own.
func TestConfiguredRoutes(t *testing.T) {
	const (
		session, create, one, refresh, ownRefresh = "/api/custom/session", "/api/create-session", "/api/chatkit/session", "/api/custom/refresh", "/api/chatkit/refresh"

		openaiNamed = "\n anonymous\n provider openai {\n name second\n base_url {env.TEST_OPENAI_URL}/v1\n key {env.TEST_OPENAI_KEY}\n workflow wf_test\n }"
		backendOnly = "\n anonymous\n provider backend {env.TEST_BACKEND_URL} {\n key {env.TEST_BACKEND_KEY}\n }"
		likeOpenAI  = "\n anonymous\n provider backend {env.TEST_BACKEND_URL} {\n name openai\n key {env.TEST_BACKEND_KEY}\n }"
	)
	tests := []struct {
		name, block string
		want        map[string]string // path: provider, "" where it is not claimed
	}{
		{"no openai provider", backendOnly, map[string]string{session: "backend", create: "backend", one: "backend", ownRefresh: "backend"}},
		{"a backend that is called openai", likeOpenAI, map[string]string{session: "openai", one: "openai"}},
		{"openai under another name", openaiNamed, map[string]string{session: "second", one: "second"}},
		{"one path", visitor + "\n session /s", map[string]string{"/s": "backend", session: "", create: "", one: "", refresh: "backend"}},
		{"two paths", visitor + "\n session /s\n session /t openai", map[string]string{"/s": "backend", "/t": "openai", session: ""}},
		{"a default path again", visitor + "\n session " + one, map[string]string{one: "backend", session: ""}},
		{"openai alone on its path", visitor + "\n session " + one + " openai", map[string]string{one: "openai", session: ""}},
		{"refresh path", visitor + "\n refresh /r openai", map[string]string{"/r": "openai", refresh: "", ownRefresh: "", session: "backend"}},
		{"session off", visitor + "\n session off", map[string]string{session: "", create: "", one: "", refresh: "backend"}},
		{"refresh off", visitor + "\n refresh off", map[string]string{session: "backend", refresh: "", ownRefresh: ""}},
		{"both off", visitor + "\n session off\n refresh off", map[string]string{session: "", refresh: ""}},
		{"another order", visitor + "\n session /s openai backend", map[string]string{"/s": "openai"}},
		{"path with an umlaut", visitor + "\n session /ü", map[string]string{"/%C3%BC": "backend", "/u": ""}},
		{"slash at the end", visitor + "\n session /s/", map[string]string{"/s/": "backend", "/s": ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.block)
			for path, provider := range tt.want {
				if claimed, a := claims(s, path); claimed != (provider != "") || a.Provider() != provider {
					t.Errorf("%s: got %d from %q, want %q", path, a.Status, a.Provider(), provider)
				}
			}
		})
	}
}

// The providers of a route are asked in its order, and nobody else.
func TestRouteFallsBackInItsOwnOrder(t *testing.T) {
	s := newSite(t, visitor+"\n session /s openai backend\n session /only backend")
	testsite.Set(t, s.OpenAI, "500")
	if a := s.Post("/s", ""); a.Provider() != "backend" || a.Reason() != "status_5xx" {
		t.Errorf("got %d from %q because %q, want backend because status_5xx", a.Status, a.Provider(), a.Reason())
	}
	s.OpenAI.Clear()
	testsite.Set(t, s.OpenAI, "none")
	testsite.Set(t, s.Backend, "500")
	if a := s.Post("/only", ""); a.Status != http.StatusBadGateway || a.Body["details"] != "Backend failed" || s.OpenAI.Calls() != 0 {
		t.Errorf("got %d after %d calls of openai, want 502 and none: %s", a.Status, s.OpenAI.Calls(), a.Raw)
	}
}

// A refresh is a new session for the same user, whatever the old one was.
func TestRefresh(t *testing.T) {
	s := newSite(t, visitor)
	first := s.Session()
	old, user := first.Secret(), sentUser(s)
	for _, tt := range []struct{ path, body string }{
		{"/api/custom/refresh", `{"token":"` + old + `"}`},
		{"/api/chatkit/refresh", `{"currentClientSecret":"` + old + `"}`},
		{"/api/chatkit/refresh", `{"currentClientSecret":null}`},
		{"/api/custom/refresh", `{"token":"nobody's"}`},
		{"/api/custom/refresh", ""},
	} {
		a := s.Post(tt.path, tt.body, "Cookie: "+first.Header.Get("Set-Cookie"))
		if a.Status != http.StatusOK || a.Body["client_secret"] == old || sentUser(s) != user {
			t.Errorf("%s %s: got %d for %q: %s", tt.path, tt.body, a.Status, sentUser(s), a.Raw)
		}
		checkSession(t, a)
		if body := string(s.Backend.Requests()[s.Backend.Calls()-1].Body); strings.Contains(body, old) {
			t.Errorf("the old secret went to the backend: %s", body)
		}
	}
}
