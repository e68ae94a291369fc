package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// tenant returns the site of another tenant of the same Caddy and listener.
func (s *site) tenant() *site {
	other := *s.Site
	other.URL = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	return &site{&other}
}

// atLocalhost is a second site, localhost, on the same listener.
func (s *site) atLocalhost(directives string) string {
	return fmt.Sprintf("\n%s {\n%s\n}\n", s.tenant().URL, directives)
}

// issuing is a backend that gives a session with its own name in the secret.
func issuing(t *testing.T, name string) *testsite.Taker {
	t.Helper()
	return testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/sessions" {
			return
		}
		if r.Header.Get("Authorization") == "Bearer down" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, `{"client_secret":%q}`, "secret-of-"+name)
	})
}

// What is used up at one site counts there only, also where the blocks of two sites
// are the same, and a reload that adds a site changes nothing.
func TestIsolationRateLimits(t *testing.T) {
	for _, by := range []string{"user", "ip"} {
		t.Run(by, func(t *testing.T) {
			block := headerUser + "\n rate_limit " + by + " 1 1h" + quick("")
			s := newUnloadedSite(t)
			s.LoadText(s.Caddyfile(block))
			s.persistent()
			ask := func(s *site) int { return s.Post("/api/custom/session", "", "X-User: u").Status }
			if first, second := ask(s), ask(s); first != 200 || second != 429 {
				t.Fatalf("got %d and %d", first, second)
			}
			s.LoadText(s.Caddyfile(block) + s.atLocalhost("chatkit {"+block+"\n}"))
			b := s.tenant()
			if a, first, second := ask(s), ask(b), ask(b); a != 429 || first != 200 || second != 429 {
				t.Errorf("got %d at the first site, %d and %d at the second", a, first, second)
			}
		})
	}
}

// What Caddy has between a site and its handler: a site of many hosts, a named
// route, subroutes.
func TestIsolationFindsItsSite(t *testing.T) {
	chatkit := "chatkit {" + headerUser + "\n rate_limit user 1 1h" + quick("") + "\n}\n"
	hosts := func(directives string) string {
		return "@a host 127.0.0.1\nhandle @a {\n" + directives + "}\n@b host localhost\nhandle @b {\n" + directives + "}\n"
	}
	deep := "route {\nhandle_path /x/* {\nhandle {\n" + chatkit + "}\n}\n}\n"
	for _, tt := range []struct {
		name, global, a, b, path string
		alone                    bool
	}{
		{"two sites", "", chatkit, chatkit, "", true},
		{"handle by host", "", hosts(chatkit), "", "", true},
		{"deep subroutes", "", deep, deep, "/x", true},
		{"one site of two hosts", "", chatkit, "", "", false},
		{"a named route", "&(chat) {\n" + chatkit + "}\n", "invoke chat\n", "invoke chat\n", "", false},
		{"handle_errors", "", "handle_errors {\n" + chatkit + "}\nerror 404\n", "handle_errors {\n" + chatkit + "}\nerror 404\n", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := s.tenant()
			global, _, _ := strings.Cut(s.Caddyfile(""), "\n}\n")
			text := global + "\n}\n" + tt.global
			if tt.b == "" {
				text += s.URL + ", " + b.URL + " {\n" + tt.a + "}\n"
			} else {
				text += s.URL + " {\n" + tt.a + "}\n" + b.URL + " {\n" + tt.b + "}\n"
			}
			s.LoadText(text)
			s.persistent()
			want := map[bool]int{true: 200, false: 429}[tt.alone]
			first := s.Post(tt.path+"/api/custom/session", "", "X-User: u").Status
			again := s.Post(tt.path+"/api/custom/session", "", "X-User: u").Status
			other := b.Post(tt.path+"/api/custom/session", "", "X-User: u").Status
			if first != 200 || again != 429 || other != want {
				t.Errorf("got %d, %d and at the other host %d, want 200, 429, %d", first, again, other, want)
			}
		})
	}
}

// asked returns which of two backends a request made ask, by how many each got.
func asked(a, b *testsite.Taker, request func()) string {
	beforeA, beforeB := len(a.Received()), len(b.Received())
	request()
	return fmt.Sprintf("%d %d", len(a.Received())-beforeA, len(b.Received())-beforeB)
}

// The session of one site is unknown at another, which can neither refresh nor carry
// with it: there the first backend is asked, as for any unknown session.
func TestIsolationOfSessions(t *testing.T) {
	for name, own := range map[string]string{"identical blocks": "", "different blocks": "\n deadline 9s"} {
		t.Run(name, func(t *testing.T) {
			first, second := issuing(t, "first"), issuing(t, "second")
			block := testsite.Backends("", first.URL+"\nkey down\nbreaker {\nconsecutive off\nratio off\n}", second.URL)
			s := newUnloadedSite(t)
			s.LoadText(s.Caddyfile(block) + s.atLocalhost("chatkit {"+block+own+"\n}"))
			s.persistent()
			b := s.tenant()
			if got := s.Session(); got.Secret() != "secret-of-second" {
				t.Fatalf("got %s", got.Raw)
			}
			const bearer = "Authorization: Bearer secret-of-second"
			const refresh = `{"token":"secret-of-second"}`
			for _, tt := range []struct {
				name, want string
				request    func()
			}{
				{"a stream at its site", "0 1", func() { s.Stream(bearer) }},
				{"a stream at the other", "1 0", func() { b.Stream(bearer) }},
				{"a refresh at its site", "0 1", func() { s.Post("/api/custom/refresh", refresh) }},
				{"a refresh at the other", "1 1", func() { b.Post("/api/custom/refresh", refresh) }},
			} {
				if got := asked(first, second, tt.request); got != tt.want {
					t.Errorf("%s: the backends were asked %s times, want %s", tt.name, got, tt.want)
				}
			}
		})
	}
}

// A tenant cannot cancel the session of another by its id, not even with the same
// block and key. Its own site can, and nothing is carried for it any more.
func TestIsolationOfCancellations(t *testing.T) {
	const auth = "Authorization: Bearer " + appKey
	for name, own := range map[string]string{"identical blocks": "", "different blocks": "\n deadline 9s"} {
		t.Run(name, func(t *testing.T) {
			backend := issuing(t, "backend")
			block := testsite.Backends("openai_api /v1 {\n key "+appKey+"\n }", backend.URL)
			s := newUnloadedSite(t)
			s.LoadText(s.Caddyfile(block) + s.atLocalhost("chatkit {"+block+own+"\n}"))
			s.persistent()
			b := s.tenant()
			made := s.Post("/v1/chatkit/sessions", `{"user":"u","workflow":{"id":"w"}}`, auth)
			id, _ := made.Body["id"].(string)
			if made.Status != http.StatusOK || !strings.HasPrefix(id, "cksess_") {
				t.Fatalf("got %d %s", made.Status, made.Raw)
			}
			stream := func(s *site) int { return s.Stream("Authorization: Bearer secret-of-backend").Status }
			cancel := func(s *site) int { return s.Post("/v1/chatkit/sessions/"+id+"/cancel", "", auth).Status }
			if got, then := cancel(b), stream(s); got != http.StatusNotFound || then != http.StatusOK {
				t.Errorf("the other tenant's cancellation got %d, a stream then %d", got, then)
			}
			if got, then, other := cancel(s), stream(s), stream(b); got != http.StatusOK || then != http.StatusUnauthorized || other != http.StatusOK {
				t.Errorf("the own cancellation got %d, a stream then %d, at the other site %d", got, then, other)
			}
		})
	}
}

// A forced state goes on where its provider does. A provider of the same name at
// another site starts as any other.
func TestIsolationOfForcedStates(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(answerSession))
	t.Cleanup(server.Close)
	other := "\n anonymous\n provider backend " + server.URL + " {\n retries 0\n }"
	for _, tt := range []struct {
		name, a, b string // the blocks at the two sites after the reload
		forced     bool
	}{
		{"its settings change", retrying(visitor), "", true},
		{"another site uses it too", visitor, visitor, true},
		{"its settings change at two sites", retrying(visitor), retrying(visitor), true},
		{"it moves to another site", "", visitor, false},
		{"another site has the name", "", other, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			s.LoadText(s.Caddyfile(visitor))
			s.persistent()
			until := s.force("open", "backend", "1h").Forced.Until
			text, _, _ := strings.Cut(s.Caddyfile(""), "\n}\n")
			text += "\n}\n"
			if tt.a != "" {
				text = s.Caddyfile(tt.a)
			}
			if tt.b != "" {
				text += s.atLocalhost("chatkit {" + tt.b + "\n}")
			}
			s.LoadText(text)
			p := s.statuses()["backend"]
			if forced := p.Forced != nil && p.Forced.Until.Equal(until) && p.State == "forced_open"; forced != tt.forced || (p.Forced != nil) != tt.forced {
				t.Errorf("got %+v, want it forced: %t", p, tt.forced)
			}
			s.LoadText(s.Caddyfile(visitor))
			s.wantForced("back at its own site", until)
		})
	}
}
