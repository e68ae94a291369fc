package caddymodule_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// beforeFirstByte are failures of a backend before the first byte of an answer:
// under which name and policy, whether the request moves, and our own answer
// where it does not. All the others are in the tests of the relay.
var beforeFirstByte = []struct {
	name   string
	url    func(t *testing.T) string
	reason string
	policy string
	moves  bool
	status int
	code   string
}{
	{"refused", testsite.Nobody, "dial", "safe", true, 502, "SESSION_ERROR"},
	{"flushed 503", failing(leaky(503)), "status_5xx", "safe", true, 502, "SESSION_ERROR"},
	{"reset", failing(hangUp), "reset", "any", true, 502, "SESSION_ERROR"},
	{"early hints only", failing(hintsOnly), "timeout", "safe", false, 504, "SESSION_ERROR"},
}

func failing(h http.HandlerFunc) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		return testsite.OwnBackend(t, h)
	}
}

func plainly(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "leak", status) }
}

// leaky fails with all that an answer can have, piece by piece: early hints,
// headers, a cookie, a body, trailers.
func leaky(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Link", "</leak.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		for name, value := range map[string]string{
			"Set-Cookie": "leak=1", "X-Leak": "1", "Trailer": "X-Leak-Trailer", "Content-Type": "text/event-stream",
			"Retry-After": "1", "X-ChatKit-Provider": "leak",
		} {
			h.Set(name, value)
		}
		w.WriteHeader(status)
		for range 3 {
			_, _ = fmt.Fprint(w, "data: leak\n\n")
			_ = http.NewResponseController(w).Flush()
		}
		h.Set("X-Leak-Trailer", "1")
	}
}

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else the server does not look whether the client is there
	<-r.Context().Done()
}

func hintsOnly(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Leak", "1")
	w.WriteHeader(http.StatusEarlyHints)
	hang(w, r)
}

// hangUp resets the connection.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

const lastStream = "POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"

// Before the first byte a failure moves to the next backend or ends in our own
// answer, as failover says; nothing of the failed attempt leaves.
func TestFailover(t *testing.T) {
	for _, tt := range beforeFirstByte {
		t.Run(tt.name+", "+tt.policy, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, nil)
			options := "failover " + tt.policy
			if tt.policy == "safe" {
				options = "" // the default
			}
			if tt.reason == "timeout" {
				options += "\n first_byte 250ms"
			}
			s.Load(testsite.Backends(options, tt.url(t), b.URL))
			raw := s.Raw(lastStream)
			if n := strings.Count(raw, "HTTP/1.1 "); n != 1 || strings.Contains(strings.ToLower(raw), "leak") {
				t.Fatalf("something of the failed attempt left:\n%s", raw)
			}
			a := testsite.ParseAnswer(t, raw)
			if tt.moves {
				checkMoved(t, a, tt.reason)
				if got := b.Only(t); got.Text != "{}" || got.URL.Path != "/api/chat/stream" {
					t.Errorf("the second backend got %q at %s", got.Text, got.URL)
				}
				return
			}
			checkError(t, a, tt.code)
			once(t, a, "Content-Type", "application/json")
			once(t, a, "Access-Control-Allow-Origin", "*")
			if a.Status != tt.status || a.Provider() != "" || len(b.Received()) > 0 {
				t.Errorf("got %d by %q and asked the second %d times: %s", a.Status, a.Provider(), len(b.Received()), raw)
			}
		})
	}
}

func checkMoved(t *testing.T, a answer, reason string) {
	t.Helper()
	once(t, a, "X-ChatKit-Provider", "b")
	once(t, a, "X-ChatKit-Fallback-Reason", reason)
	once(t, a, "Content-Type", "text/event-stream")
	if a.Status != http.StatusOK || a.Raw != "data: taken\n\n" {
		t.Errorf("got %d %q", a.Status, a.Raw)
	}
}
