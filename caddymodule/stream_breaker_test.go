package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"
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
		ask, other  func(*site) answer
	}{
		{"streams fail", "/api/chat", func(s *site) answer { return s.stream() }, (*site).session},
		{"messages fail", "/api/chat", func(s *site) answer { return s.post("/api/custom/message", "{}") }, (*site).session},
		{"sessions fail", "/api/sessions", (*site).session, func(s *site) answer { return s.stream() }},
		{"sessions fail, then a message", "/api/sessions", (*site).session, func(s *site) answer { return s.post("/api/custom/message", "{}") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			a, b := newTaker(t, failsAt(tt.fails, 500)), newTaker(t, failsAt("/none", 500))
			if err := s.load(backends("failover any", a.URL+tripsAfter3, b.URL)); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if got := tt.other(s); got.Provider() != "a" || got.Reason() != "" {
					t.Fatalf("%d: the other is served by %q because %q", i, got.Provider(), got.Reason())
				}
				// The other's success stands between the failures.
			}
			before := len(a.received())
			for range 3 {
				if got := tt.ask(s); got.Provider() != "b" || got.Reason() != "status_5xx" {
					t.Fatalf("served by %q because %q", got.Provider(), got.Reason())
				}
			}
			for _, ask := range []func(*site) answer{tt.other, tt.ask} {
				if got := ask(s); got.Status != http.StatusOK || got.Provider() != "b" || got.Reason() != "open" {
					t.Errorf("got %d by %q because %q", got.Status, got.Provider(), got.Reason())
				}
			}
			if got := len(a.received()) - before; got != 3 {
				t.Errorf("the backend was asked %d times, want 3", got)
			}
		})
	}
}

// With nobody else to ask, an open breaker is an answer that says when to come
// back.
func TestStreamWithAllBreakersOpen(t *testing.T) {
	s := newUnloadedSite(t)
	a := newTaker(t, failsAt("/api/chat", 503))
	if err := s.load(backends("", a.URL+tripsAfter3)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.stream()
	}
	got := s.stream()
	checkError(t, got, "SESSION_ERROR")
	checkRetryAfter(t, got, "about 60")
	once(t, got, "Cache-Control", "no-store")
	if got.Status != http.StatusServiceUnavailable || len(a.received()) != 3 {
		t.Errorf("got %d, and the backend was asked %d times", got.Status, len(a.received()))
	}
}

// What the backend says about the caller is nothing about the backend.
func TestRefusedStreamsKeepTheBreakerClosed(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 422} {
		s := newUnloadedSite(t)
		a := newTaker(t, failsAt("/api/chat", status))
		if err := s.load(backends("", a.URL+"\n breaker {\n consecutive 1\n }")); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if got := s.stream(); got.Status != status || got.Provider() != "a" {
				t.Fatalf("%d: got %d by %q", status, got.Status, got.Provider())
			}
		}
		if got := s.session(); got.Provider() != "a" {
			t.Errorf("%d: the session is by %q", status, got.Provider())
		}
	}
}

// The permit of a probe is given back when its stream begins, not at its end.
func TestProbeStreamGivesItsPermitBack(t *testing.T) {
	release := make(chan struct{})
	s := newUnloadedSite(t)
	failed := false
	url := ownBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if !failed { // one request at a time
			failed = true
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		events(1, func(http.ResponseWriter, *http.Request) { <-release })(w, r)
	})
	defer close(release)
	if err := s.load(backends("", url+"\n breaker {\n consecutive 1\n open 50ms\n }")); err != nil {
		t.Fatal(err)
	}
	s.stream()
	s.await(`breaker_state{provider="a",state="half_open"}`, 1)
	for i := range 3 {
		if got := s.open(); got.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: got %d while the ones before it go on", i, got.StatusCode)
		}
	}
	s.await(`breaker_state{provider="a",state="closed"}`, 1)
}
