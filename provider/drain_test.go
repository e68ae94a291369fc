package provider_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func chunked(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, body)
	}
}

// An outage must not also be a storm of handshakes: five small refusals, one
// connection.
func TestPostUsesTheConnectionAgain(t *testing.T) {
	const calls = 5
	cases := []struct {
		name  string
		h     http.HandlerFunc
		conns int32
	}{
		{"session", replies(200, `{}`), 1},
		{"no content", replies(204, ""), 1},
		{"empty refusal", replies(503, ""), 1},
		{"small refusal", replies(503, "overloaded"), 1},
		{"refusal of 4 KiB", replies(500, strings.Repeat("x", 4<<10)), 1},
		{"a byte more is not worth it", replies(500, strings.Repeat("x", 4<<10+1)), calls},
		{"8 MiB are not", replies(500, strings.Repeat("x", 8<<20)), calls},
		{"chunked refusal of 8 MiB is not", chunked(500, strings.Repeat("x", 8<<20)), calls},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			u := start(t, c.h)
			for range calls {
				if _, _, err := u.ask(t.Context()); err != nil && failure(t, err).Status == 0 {
					t.Errorf("got %v", err)
				}
			}
			if n := u.conns.Load(); n != c.conns {
				t.Errorf("%d calls took %d connections, want %d", calls, n, c.conns)
			}
		})
	}
}

// Many servers send error answers without a length. These were once not read at
// all, and each cost a connection.
func TestPostUsesTheConnectionAgainAfterAChunkedRefusal(t *testing.T) {
	u := start(t, chunked(503, "overloaded"))
	for range 5 {
		if _, _, err := u.ask(t.Context()); failure(t, err).Status != 503 {
			t.Errorf("got %v", err)
		}
	}
	if n := u.conns.Load(); n != 1 {
		t.Errorf("5 calls took %d connections", n)
	}
}

// Reading an error answer must not take long: the next provider is waiting. The
// limit is 50 ms; the test allows a second for a busy machine.
func TestPostDoesNotWaitForARefusalsBody(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	cases := map[string]http.HandlerFunc{
		"with a length": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusServiceUnavailable)
			hang(w, r)
		},
		"with a great length": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			w.WriteHeader(http.StatusServiceUnavailable)
			hang(w, r)
		},
		"chunked": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "wait for it")
			hang(w, r)
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 1<<10))
			}
		},
	}
	for name, h := range cases {
		t.Run(name, func(t *testing.T) {
			u := start(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				h(w, r)
			})
			begin := time.Now()
			_, _, err := u.ask(t.Context())
			if failure(t, err).Status != 503 {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
