package caddymodule_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// newCallersSite is a site that knows accounts by X-User, visitors, and addresses by
// X-Forwarded-For. Its backend serves alice and bob, and does to all others what then
// does.
func newCallersSite(t *testing.T, then http.HandlerFunc) (*site, *testsite.Taker) {
	t.Helper()
	backend := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.RawQuery; strings.Contains(q, "alice") || strings.Contains(q, "bob") {
			giveSession(w, r)
			return
		}
		then(w, r)
	})
	s := newUnloadedSite(t)
	block := headerUser + "\n anonymous\n provider backend " + backend.URL + " {\n user_in query\n retries 0\n }" + openaiOnly
	s.LoadText(strings.Replace(s.Caddyfile(block), "auto_https off",
		"auto_https off\n servers {\n trusted_proxies static 127.0.0.0/8\n }", 1))
	return s, backend
}

// Whatever a backend does to one caller, it goes on to serve the others.
func TestOneCallerTakesNothingFromOthers(t *testing.T) {
	answers := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(status)
		}
	}
	faults := []struct {
		name, reason string
		then         http.HandlerFunc
	}{
		{"fails", "status_5xx", answers(500)},
		{"asks for time", "status_5xx", answers(503)},
		{"limits", "status_429", answers(429)},
		{"knows no such model", "misconfigured", answers(404)},
		{"gives no session", "invalid_response", answers(200)},
		{"cuts", "reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	}
	faces := map[string]func(i int) []string{
		"an account": func(i int) []string { return []string{"X-User: eve", fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i)} },
		"visitors of one address": func(int) []string {
			return []string{"X-Forwarded-For: 192.0.2.66"}
		},
		"visitors of one IPv6 network": func(i int) []string { return []string{fmt.Sprintf("X-Forwarded-For: 2001:db8::%d", i)} },
	}
	for face, headers := range faces {
		for _, f := range faults {
			t.Run(face+" it "+f.name, func(t *testing.T) {
				s, backend := newCallersSite(t, f.then)
				s.Session("X-User: alice")
				for i := range 10 {
					if a := s.Session(headers(i)...); a.Provider() != "openai" || a.Reason() != f.reason {
						t.Errorf("request %d: served by %q because %q, want %s", i, a.Provider(), a.Reason(), f.reason)
					}
				}
				if a := s.Session("X-User: alice"); a.Provider() != "backend" || a.Reason() != "" {
					t.Errorf("somebody else is served by %q because %q", a.Provider(), a.Reason())
				}
				if got := len(backend.Received()); got != 12 {
					t.Errorf("the backend was asked %d times, want 12", got)
				}
			})
		}
	}
}

// What two callers meet is the backend's fault, also where others are served.
func TestTwoCallersOpenTheBreaker(t *testing.T) {
	s, backend := newCallersSite(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	s.Session("X-User: alice")
	for i := range 5 {
		s.Session(fmt.Sprintf("X-User: eve%d", i%2))
	}
	if a := s.Session("X-User: alice"); a.Provider() != "openai" || a.Reason() != "open" {
		t.Errorf("served by %q because %q, want openai because open", a.Provider(), a.Reason())
	}
	if got := len(backend.Received()); got != 6 {
		t.Errorf("the backend was asked %d times, want 6", got)
	}
}

// Front ends stop waiting before the product does. The breaker of a backend that
// hangs opens all the same.
func TestAbandonedSessions(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 3\n open 1m"))
	testsite.Set(t, s.Backend, sandbox.Hang)
	const abandoned = `attempts_total{provider="backend",result="abandoned"}`
	before, canceled := s.Metric(abandoned), s.Metric(canceledSessions)
	for i := range 3 {
		ctx, leave := context.WithTimeout(t.Context(), 400*time.Millisecond)
		_, err := testsite.Try(ctx, s.Client, http.MethodPost, s.URL+"/api/custom/session", "")
		leave()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		s.Await(canceledSessions, canceled+float64(i)+1)
	}
	if got := s.Metric(abandoned) - before; got != 3 {
		t.Errorf("%v attempts were abandoned, want 3", got)
	}
	if a := s.Session(); a.Provider() != "openai" || a.Reason() != "open" {
		t.Errorf("served by %q because %q, want openai because open", a.Provider(), a.Reason())
	}
	if got := s.Backend.Calls(); got != 3 {
		t.Errorf("backend was called %d times, want 3", got)
	}
}
