package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const tripsAfter3 = "\n breaker {\n consecutive 3\n open 1m\n }"

// failsAt is a backend that fails at some paths and works at all others.
func failsAt(prefix string, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, prefix):
			http.Error(w, "no", status)
		case strings.HasPrefix(r.URL.Path, "/api/sessions"):
			giveSession(w, r)
		default:
			events(1, nil)(w, r)
		}
	}
}

// Sessions and streams of a backend have one breaker: what fails one of them
// keeps the other away too.
func TestBreakerIsShared(t *testing.T) {
	tests := []struct {
		name, fails string
		ask, other  func(*site, ...string) answer
	}{
		{"streams fail", "/api/chat", (*site).Stream, (*site).Session},
		{"messages fail", "/api/chat", func(s *site, _ ...string) answer { return s.Post("/api/custom/message", "{}") }, (*site).Session},
		{"sessions fail", "/api/sessions", (*site).Session, (*site).Stream},
		{"sessions fail, then a message", "/api/sessions", (*site).Session, func(s *site, _ ...string) answer { return s.Post("/api/custom/message", "{}") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			a, b := testsite.NewTaker(t, failsAt(tt.fails, 500)), testsite.NewTaker(t, failsAt("/none", 500))
			s.Load(testsite.Backends("failover any", a.URL+tripsAfter3, b.URL))
			for i := range 3 {
				if got := tt.other(s); got.Provider() != "a" || got.Reason() != "" {
					t.Fatalf("%d: the other is served by %q because %q", i, got.Provider(), got.Reason())
				}
				// The other's success stands between the failures.
			}
			before := len(a.Received())
			for range 3 {
				if got := tt.ask(s); got.Provider() != "b" || got.Reason() != "status_5xx" {
					t.Fatalf("served by %q because %q", got.Provider(), got.Reason())
				}
			}
			for _, ask := range []func(*site, ...string) answer{tt.other, tt.ask} {
				if got := ask(s); got.Status != http.StatusOK || got.Provider() != "b" || got.Reason() != "open" {
					t.Errorf("got %d by %q because %q", got.Status, got.Provider(), got.Reason())
				}
			}
			if got := len(a.Received()) - before; got != 3 {
				t.Errorf("the backend was asked %d times, want 3", got)
			}
		})
	}
}

// With nobody else to ask, an open breaker is an answer that says when to come
// back.
func TestStreamWithAllBreakersOpen(t *testing.T) {
	s := newUnloadedSite(t)
	a := testsite.NewTaker(t, failsAt("/api/chat", 503))
	s.Load(testsite.Backends("", a.URL+tripsAfter3))
	for range 3 {
		s.Stream()
	}
	got := s.Stream()
	checkError(t, got, "SESSION_ERROR")
	checkRetryAfter(t, got, "about 60")
	once(t, got, "Cache-Control", "no-store")
	if got.Status != http.StatusServiceUnavailable || len(a.Received()) != 3 {
		t.Errorf("got %d, and the backend was asked %d times", got.Status, len(a.Received()))
	}
}

// What the backend says about the caller is nothing about the backend, is passed
// on as it is, and moves nowhere, whatever failover says.
func TestRefusedStreams(t *testing.T) {
	for _, status := range []int{302, 400, 401, 403, 404, 409, 413, 422} {
		s := newUnloadedSite(t)
		a, b := testsite.NewTaker(t, failsAt("/api/chat", status)), testsite.NewTaker(t, nil)
		s.Load(testsite.Backends("failover any", a.URL+"\n breaker {\n consecutive 1\n }", b.URL))
		for range 3 {
			got := s.Stream()
			if got.Status != status || got.Raw != "no\n" {
				t.Fatalf("%d: got %d %q", status, got.Status, got.Raw)
			}
			once(t, got, "X-ChatKit-Provider", "a")
			once(t, got, "X-ChatKit-Fallback-Reason", "")
			once(t, got, "Content-Type", "text/plain; charset=utf-8")
		}
		if got := s.Session(); got.Provider() != "a" || len(b.Received()) > 0 {
			t.Errorf("%d: the session is by %q, and the second was asked %d times", status, got.Provider(), len(b.Received()))
		}
	}
}

// The permit of a probe is given back when its stream begins, not at its end.
func TestProbeStreamGivesItsPermitBack(t *testing.T) {
	release := make(chan struct{})
	s := newUnloadedSite(t)
	failed := false
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if !failed { // one request at a time
			failed = true
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		events(1, func(http.ResponseWriter, *http.Request) { <-release })(w, r)
	})
	defer close(release)
	s.Load(testsite.Backends("", url+"\n breaker {\n consecutive 1\n open 50ms\n }"))
	s.Stream()
	s.Await(`breaker_state{provider="a",state="half_open"}`, 1)
	for i := range 3 {
		if got := s.Open(); got.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: got %d while the ones before it go on", i, got.StatusCode)
		}
	}
	s.Await(`breaker_state{provider="a",state="closed"}`, 1)
}
