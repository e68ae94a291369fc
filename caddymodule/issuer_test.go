package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A refresh goes to the issuer of the session, the next new session to the
// first provider again.
func TestRefreshSticks(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	testsite.Set(t, s.Backend, sandbox.Status500)
	old := s.Session()
	if old.Provider() != "openai" {
		t.Fatalf("got a session from %q", old.Provider())
	}
	testsite.Set(t, s.Backend, sandbox.None)
	for _, tt := range []struct{ name, path, body, want string }{
		{"refresh by token", "/api/custom/refresh", `{"token":"` + old.Secret() + `"}`, "openai"},
		{"refresh by currentClientSecret", "/api/chatkit/refresh", `{"currentClientSecret":"` + old.Secret() + `"}`, "openai"},
		{"session request with currentClientSecret", "/api/custom/session", `{"currentClientSecret":"` + old.Secret() + `"}`, "openai"},
		{"new session", "/api/custom/session", "", "backend"},
		{"made-up secret in OpenAI's shape", "/api/custom/refresh", `{"token":"ek_unknown"}`, "backend"},
		{"session request with a made-up secret", "/api/custom/session", `{"currentClientSecret":"ek_unknown"}`, "backend"},
		{"unknown secret", "/api/custom/refresh", `{"token":"unknown"}`, "backend"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.Backend.Clear()
			s.OpenAI.Clear()
			a := s.Post(tt.path, tt.body)
			if a.Status != http.StatusOK || a.Provider() != tt.want || a.Reason() != "" {
				t.Errorf("got %d from %q because %q, want it from %s", a.Status, a.Provider(), a.Reason(), tt.want)
			}
			if calls := s.Backend.Calls() + s.OpenAI.Calls(); calls != 1 {
				t.Errorf("the providers were asked %d times, want once", calls)
			}
		})
	}
}

// Only the caller that got a session is sent to its issuer first. A user that the
// first provider refuses does not get a session with somebody else's secret.
func TestRefreshOfAnother(t *testing.T) {
	s := newSite(t, strings.Replace(testsite.TwoProviders, "anonymous", "user {http.request.header.X-User}", 1))
	testsite.Set(t, s.Backend, sandbox.Status500)
	old := s.Session("X-User: alice")
	testsite.Set(t, s.Backend, sandbox.Status403)
	for user, want := range map[string]int{"alice": http.StatusOK, "bob": http.StatusForbidden} {
		for _, path := range []string{"/api/custom/refresh", "/api/chatkit/refresh", "/api/custom/session", "/api/chatkit/session"} {
			if a := s.Post(path, `{"token":"`+old.Secret()+`"}`, "X-User: "+user); a.Status != want {
				t.Errorf("%s at %s: got %d from %q", user, path, a.Status, a.Provider())
			}
		}
	}
}

// A dead issuer does not hold a refresh up: the chain answers.
func TestRefreshWithDeadIssuer(t *testing.T) {
	s := newSite(t, `
	anonymous`+withoutAnonymous(testsite.TwoProviders)+`
	session /s backend openai
	session /openai openai`)
	old := s.Post("/openai", "")
	if old.Provider() != "openai" {
		t.Fatalf("got a session from %q: %s", old.Provider(), old.Raw)
	}
	testsite.Set(t, s.OpenAI, sandbox.Status500)
	for i := range 8 { // 5 failures open its breaker; then it is not asked first any more
		a := s.Post("/api/custom/refresh", `{"token":"`+old.Secret()+`"}`)
		want := "status_5xx"
		if i >= 5 {
			want = ""
		}
		if a.Status != http.StatusOK || a.Provider() != "backend" || a.Reason() != want {
			t.Errorf("refresh %d: got %d from %q because %q, want it from backend because %q", i, a.Status, a.Provider(), a.Reason(), want)
		}
	}
}

// withoutAnonymous is a block without its line for visitors.
func withoutAnonymous(block string) string { return block[len("\n\tanonymous"):] }

// The memory outlives a reload, and a stream for a session of OpenAI's says so.
func TestSessionElsewhere(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	s.persistent()
	own := s.Session()
	testsite.Set(t, s.Backend, sandbox.Status500)
	foreign := s.Session()
	s.Load(testsite.TwoProviders + "\n deadline 9s")
	a := s.Post("/api/custom/stream", `{"message":"hi"}`, "Authorization: Bearer "+foreign.Secret())
	if a.Status != http.StatusConflict || a.Body["code"] != "SESSION_ELSEWHERE" || a.Provider() != "openai" {
		t.Errorf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
	}
	testsite.Set(t, s.Backend, sandbox.None)
	a = s.Post("/api/custom/stream", `{"message":"hi"}`, "Authorization: Bearer "+own.Secret())
	if a.Status != http.StatusOK || a.Provider() != "backend" {
		t.Errorf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
	}
}
