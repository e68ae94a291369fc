package caddymodule_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// beforeFirstByte are the failures of a backend before the first byte of an
// answer: under which name, whether the backend surely did not start on the
// request, and our own answer where it goes to nobody else.
var beforeFirstByte = []struct {
	name   string
	url    func(t *testing.T) string
	reason string
	safe   bool
	status int
	code   string
}{
	{"refused", testsite.Nobody, "dial", true, 502, "SESSION_ERROR"},
	{"no such name", nameless, "dns", true, 502, "SESSION_ERROR"},
	{"no TLS", plaintext, "tls", true, 502, "SESSION_ERROR"},
	{"wrong certificate", distrusted, "tls", true, 502, "SESSION_ERROR"},
	{"429", failing(leaky(429)), "status_429", true, 429, "RATE_LIMITED"},
	{"503", failing(plainly(503)), "status_5xx", true, 502, "SESSION_ERROR"},
	{"flushed 503", failing(leaky(503)), "status_5xx", true, 502, "SESSION_ERROR"},
	{"reset", failing(hangUp), "reset", false, 502, "SESSION_ERROR"},
	{"hangs", failing(hang), "timeout", false, 504, "SESSION_ERROR"},
	{"early hints only", failing(hintsOnly), "timeout", false, 504, "SESSION_ERROR"},
	{"500", failing(plainly(500)), "status_5xx", false, 502, "SESSION_ERROR"},
	{"flushed 500", failing(leaky(500)), "status_5xx", false, 502, "SESSION_ERROR"},
	{"flushed 502", failing(leaky(502)), "status_5xx", false, 502, "SESSION_ERROR"},
}

func nameless(*testing.T) string { return "http://nobody.invalid" }

func plaintext(t *testing.T) string {
	t.Helper()
	return strings.Replace(testsite.OwnBackend(t, hangUp), "http:", "https:", 1)
}

func failing(h http.HandlerFunc) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		return testsite.OwnBackend(t, h)
	}
}

func distrusted(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.URL
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
		for policy, moves := range map[string]bool{"off": false, "safe": tt.safe, "any": true} {
			t.Run(tt.name+", "+policy, func(t *testing.T) {
				s := newUnloadedSite(t)
				b := testsite.NewTaker(t, nil)
				options := "failover " + policy
				if policy == "safe" {
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
				if moves {
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

// A backend that refuses the caller has the last word, and it is passed on as
// it is: nobody else is asked, whatever failover says.
func TestRefusalsDoNotMove(t *testing.T) {
	for _, status := range []int{302, 400, 401, 403, 404, 409, 413, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newUnloadedSite(t)
			a := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", status) })
			b := testsite.NewTaker(t, nil)
			s.Load(testsite.Backends("failover any", a.URL, b.URL))
			got := s.Stream()
			if got.Status != status || got.Raw != "no\n" || len(b.Received()) > 0 {
				t.Errorf("got %d %q and asked the second %d times", got.Status, got.Raw, len(b.Received()))
			}
			once(t, got, "X-ChatKit-Provider", "a")
			once(t, got, "X-ChatKit-Fallback-Reason", "")
			once(t, got, "Content-Type", "text/plain; charset=utf-8")
		})
	}
}
