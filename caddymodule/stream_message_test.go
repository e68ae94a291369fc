package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A message is answered as the backend answers it.
func TestMessage(t *testing.T) {
	for _, status := range []int{200, 201, 204, 303, 400, 401, 404, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
				if status != http.StatusNoContent {
					_, _ = fmt.Fprint(w, `{"answer":"hi"}`)
				}
			})
			s.Load(testsite.Backends("", b.URL))
			s.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			const ok = `streams_total{kind="message",outcome="ok"}`
			before := s.Metric(ok)
			a := s.Post("/api/custom/message", `{"message":"hi"}`, "Content-Type: application/json")
			once(t, a, "Content-Type", "application/json")
			once(t, a, "X-ChatKit-Provider", "a")
			once(t, a, "Connection", "")
			once(t, a, "Location", "/elsewhere")
			if a.Status != status || (status != http.StatusNoContent && a.Raw != `{"answer":"hi"}`) {
				t.Errorf("got %d %q", a.Status, a.Raw)
			}
			if got := b.Only(t); got.URL.Path != "/api/chat" || got.Text != `{"message":"hi"}` {
				t.Errorf("the backend got %q at %s", got.Text, got.URL)
			}
			s.Await(ok, before+1)
			s.Await(`streams_in_flight{kind="message"}`, 0)
		})
	}
}

// Answers of every size arrive as they were, sized or not.
func TestAnswerSizes(t *testing.T) {
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
		if r.URL.Query().Get("sized") != "" {
			w.Header().Set("Content-Length", fmt.Sprint(n))
		} else {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = fmt.Fprint(w, pattern(n))
	})
	s.Load(testsite.Backends("", url))
	for _, path := range []string{"stream", "message"} {
		for _, n := range []int{0, 1, 4 << 10, 32<<10 + 1, 64 << 10, 1 << 20} {
			for _, sized := range []string{"", "1"} {
				a := s.Post(fmt.Sprintf("/api/custom/%s?n=%d&sized=%s", path, n, sized), "{}")
				if a.Status != http.StatusOK || a.Raw != pattern(n) {
					t.Errorf("%s of %d bytes: got %d of %d bytes", path, n, a.Status, len(a.Raw))
				}
				if length := a.Header.Get("Content-Length"); sized != "" && length != fmt.Sprint(n) {
					t.Errorf("%s of %d bytes: it is announced as %q", path, n, length)
				}
			}
		}
	}
}

// Methods other than POST are refused here, and nobody is asked.
func TestCarriedMethods(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, nil)
	s.Load(testsite.Backends("", b.URL))
	for _, path := range []string{"/api/custom/stream", "/api/custom/message"} {
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "BREW"} {
			a := s.Do(method, path, "")
			checkError(t, a, "METHOD_NOT_ALLOWED")
			once(t, a, "Allow", "POST, OPTIONS")
			if a.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: got %d", method, path, a.Status)
			}
		}
		a := s.Do(http.MethodOptions, path, "", "Origin: https://a.test", "Access-Control-Request-Method: POST")
		if a.Status != http.StatusNoContent || a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: the preflight got %d", path, a.Status)
		}
	}
	if got := len(b.Received()); got > 0 {
		t.Errorf("the backend was asked %d times", got)
	}
}

// Each kind can be switched off, and then its path is the app's.
func TestCarriedKindsOff(t *testing.T) {
	paths := map[string]string{"stream": "/api/custom/stream", "message": "/api/custom/message", "websocket": lastSocket}
	for kind, path := range paths {
		t.Run(kind, func(t *testing.T) {
			s := newSite(t, testsite.Backends(kind+" off", testsite.NewTaker(t, nil).URL))
			if a := s.Post(path, "{}"); a.Status != http.StatusTeapot || !strings.HasSuffix(a.Raw, path) {
				t.Errorf("got %d %s", a.Status, a.Raw)
			}
		})
	}
}
