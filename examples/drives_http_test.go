package examples_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// app is the app behind all examples. Its login knows who has one of these
// cookies: alice, and a session that has no user.
func app(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/auth/me" {
		w.Header().Set("X-App-Saw-User", r.Header.Get("X-User"))
		http.Error(w, "the app itself", http.StatusTeapot)
		return
	}
	switch cookie := r.Header.Get("Cookie"); {
	case r.Header.Get("X-User") != "":
		http.Error(w, "the client's own header got here", http.StatusInternalServerError)
	case cookie == "login=alice":
		w.Header().Set("X-User", "alice")
	case cookie == "login=nobody":
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		http.Redirect(w, r, "/login", http.StatusFound)
	default:
		http.Error(w, "log in first", http.StatusUnauthorized)
	}
}

// Strangers get what the login answers them, users are known by the login's
// name, and whatever a client says of itself does not count.
func driveForwardAuth(s *site) {
	t := s.T
	s.serve("forward-auth")
	for _, forged := range []string{"", "mallory"} {
		for _, tt := range []struct {
			name, path, cookie, accept string
			status                     int
			user                       string // that the backend was asked for
		}{
			{"stranger", "/api/custom/session", "", "", 401, ""},
			{"stranger in a browser", "/api/custom/session", "", "text/html", 302, ""},
			{"stranger, other path", "/api/create-session", "", "", 401, ""},
			{"stranger, OpenAI's path", "/api/chatkit/session", "", "", 401, ""},
			{"stranger, refresh", "/api/custom/refresh", "", "", 401, ""},
			{"stranger, OpenAI's refresh", "/api/chatkit/refresh", "", "", 401, ""},
			{"stranger, stream", "/api/custom/stream", "", "", 401, ""},
			{"stranger, message", "/api/custom/message", "", "", 401, ""},
			{"stranger, WebSocket", "/api/ws/chat/session-1", "", "", 401, ""},
			{"login without a user", "/api/custom/session", "login=nobody", "", 401, ""},
			{"user", "/api/custom/session", "login=alice", "", 200, "alice"},
			{"user, other path", "/api/create-session", "login=alice", "", 200, "alice"},
			{"the app's own", "/api/cart", "", "", 418, ""},
		} {
			s.Backend.Clear()
			a := s.Do(http.MethodPost, tt.path, "{}", "Cookie: "+tt.cookie, "Accept: "+tt.accept, "X-User: "+forged)
			if saw := a.Header.Get("X-App-Saw-User"); a.Status != tt.status || saw != "" {
				t.Errorf("%s, who says %q: got %d, and the app saw %q: %s", tt.name, forged, a.Status, saw, a.Raw)
			}
			if tt.user == "" && s.Backend.Calls()+s.OpenAI.Calls() > 0 {
				t.Errorf("%s, who says %q: somebody was asked", tt.name, forged)
			}
			if tt.user != "" && sent(t, s.Backend)["user_id"] != tt.user {
				t.Errorf("%s, who says %q: the backend was asked for %v", tt.name, forged, sent(t, s.Backend))
			}
		}
	}
	s.App.Close()
	s.Backend.Clear()
	if a := s.Session("Cookie: login=alice"); a.Status != http.StatusBadGateway || s.Backend.Calls() > 0 {
		t.Errorf("without a login got %d", a.Status)
	}
}

// The first region serves; when it is dead the second one serves sessions, and
// the streams of the first one's sessions.
func driveTwoRegions(s *site) {
	t := s.T
	eu, us := newRegion(t, "eu"), newRegion(t, "us")
	t.Setenv("CUSTOM_BACKEND_URL_EU", eu.URL)
	t.Setenv("CUSTOM_BACKEND_URL_US", us.URL)
	s.serve("two-regions")
	stream := func() testsite.Answer {
		return s.Do(http.MethodPost, "/api/custom/stream", `{"message":"hi"}`, "Authorization: Bearer session-of-eu")
	}
	session := s.Session()
	session.Is(t, "200 backend-eu")
	if session.Body["client_secret"] != "session-of-eu" {
		t.Fatalf("got %s", session.Raw)
	}
	stream().Is(t, "200 backend-eu")
	eu.Close()
	for _, a := range []testsite.Answer{stream(), s.Session()} {
		a.Is(t, "200 backend-us dial")
		if !strings.Contains(a.Raw, "of-us") {
			t.Errorf("got %s", a.Raw)
		}
	}
}

// newRegion starts a backend with sessions and streams. Its port is one that
// nobody else gets when it is closed. It keeps no connection: of a message that
// was written to one that has just died nobody knows whether it was started, and
// such a message does not move.
func newRegion(t *testing.T, name string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/sessions", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"session_id":"session-of-%s"}`, name)
	})
	mux.HandleFunc("POST /api/chat/stream", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "data: word-of-%s\n\n", name)
	})
	s := testsite.OwnBackendAt(t, testsite.FreeAddr(t), mux)
	s.Config.SetKeepAlivesEnabled(false)
	return s
}

// The origins on the list may use the chat with credentials, whoever serves and
// whatever comes out; others may not, and nobody is asked for them.
func driveStrictCORS(s *site) {
	t := s.T
	s.serve("strict-cors")
	for origin, allowed := range map[string]bool{
		"https://app.example.com":           true,
		"https://pr-7.preview.example.com":  true,
		"http://app.example.com":            false,
		"https://app.example.com.evil.test": false,
		"https://preview.example.com":       false,
		"https://evil.test":                 false,
		"null":                              false,
	} {
		s.Backend.Clear()
		a := s.Session("Origin: " + origin)
		preflight := s.Do(http.MethodOptions, "/api/custom/session", "", "Origin: "+origin,
			"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
		if !allowed {
			checkShared(t, a, "", "")
			checkShared(t, preflight, "", "")
			if a.Status != http.StatusForbidden || a.Body["code"] != "FORBIDDEN_ORIGIN" || s.Backend.Calls() != 0 {
				t.Errorf("%s got %d: %s", origin, a.Status, a.Raw)
			}
			continue
		}
		a.Is(t, "200 backend")
		checkShared(t, a, origin, "true")
		checkShared(t, preflight, origin, "true")
		if h := preflight.Header; preflight.Status != http.StatusNoContent ||
			h.Get("Access-Control-Allow-Headers") != "content-type" || h.Get("Access-Control-Max-Age") != "600" {
			t.Errorf("the preflight of %s got %d %v", origin, preflight.Status, h)
		}
	}
	refuse(t, s.Backend)
	refuse(t, s.OpenAI)
	dead := s.Session("Origin: https://app.example.com")
	dead.Is(t, "502")
	checkShared(t, dead, "https://app.example.com", "true")
}

// checkShared checks with whom an answer is shared ("": with nobody).
func checkShared(t *testing.T, a testsite.Answer, origin, credentials string) {
	t.Helper()
	h := a.Header
	if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != credentials ||
		!strings.Contains(strings.Join(h.Values("Vary"), ", "), "Origin") {
		t.Errorf("want %q with credentials %q, got %v", origin, credentials, h)
	}
}
