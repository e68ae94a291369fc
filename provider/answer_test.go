package provider_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestPostReadsAnswersUpToABound(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		ok   bool
	}{
		{"empty", 0, true},
		{"small", 100, true},
		{"64 KiB", provider.MaxAnswer, true},
		{"one byte more", provider.MaxAnswer + 1, false},
		{"8 MiB", 8 << 20, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := strings.Repeat("x", c.size)
			u := start(t, replies(200, want))
			body, judged, err := u.ask(t.Context())
			if !c.ok {
				if f := failure(t, err); judged || f.Reason != session.InvalidResponse {
					t.Errorf("judged: %t, error: %v", judged, err)
				}
				return
			}
			if err != nil || body != want {
				t.Errorf("got %d bytes, error: %v", len(body), err)
			}
		})
	}
}

// Reading an endless answer stops at the size limit, not at the time limit.
func TestPostGivesUpAnEndlessAnswer(t *testing.T) {
	u := start(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	_, _, err := u.ask(t.Context())
	if failure(t, err).Reason != session.InvalidResponse {
		t.Errorf("got %v", err)
	}
}

// A request whose answer is cut off may have created a session, so it counts as
// cut and is not retried.
func TestPostOfACutAnswer(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, text := range map[string]string{
		"with a length":     head + "Content-Length: 100\r\n\r\n{\"session_id\":",
		"nothing at all":    head + "Content-Length: 100\r\n\r\n",
		"within a chunk":    head + "Transfer-Encoding: chunked\r\n\r\n40\r\n{\"session_id\":",
		"between chunks":    head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"without last line": head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, judged, err := start(t, wire(text)).ask(t.Context())
			f := failure(t, err)
			v := session.Classify(t.Context(), t.Context(), err, nil)
			if judged || !f.Answered || v.Reason != session.Reset || v.Retry || !v.Next {
				t.Errorf("judged: %t, error: %v, verdict: %+v", judged, err, v)
			}
		})
	}
}

// Without a length a cut answer looks complete, so it is parsed.
func TestPostOfACutAnswerWithoutALength(t *testing.T) {
	body, judged, err := start(t, wire("HTTP/1.0 200 OK\r\n\r\n{\"session_id\":")).ask(t.Context())
	if err != nil || !judged || body != `{"session_id":` {
		t.Errorf("got %q, judged: %t, error: %v", body, judged, err)
	}
}

func TestPostOfAnAnswerThatHangs(t *testing.T) {
	u := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, judged, err := u.ask(ctx)
	if v := session.Classify(t.Context(), ctx, err, nil); judged || v.Reason != session.Timeout {
		t.Errorf("judged: %t, error: %v, verdict: %+v", judged, err, v)
	}
}

func TestPostGzip(t *testing.T) {
	zipped := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = io.WriteString(z, body)
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(b.Bytes())
		}
	}
	t.Run("not asked for", func(t *testing.T) {
		body, judged, err := start(t, zipped(`{"session_id":"s"}`)).ask(t.Context())
		if err != nil || !judged || body != `{"session_id":"s"}` {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("not asked for, a bomb", func(t *testing.T) {
		_, judged, err := start(t, zipped(strings.Repeat("0", 1<<20))).ask(t.Context())
		if judged || failure(t, err).Reason != session.InvalidResponse {
			t.Errorf("judged: %t, error: %v", judged, err)
		}
	})
	for name, body := range map[string]string{"only its first bytes": "\x1f\x8b", "broken": "\x1f\x8b\x08\x00planted-planted", "of no method": "\x1f\x8bplanted-planted"} {
		t.Run(name, func(t *testing.T) {
			_, judged, err := start(t, replies(200, body)).ask(t.Context())
			if judged || failure(t, err).Reason != session.InvalidResponse || strings.Contains(err.Error(), "planted") {
				t.Errorf("judged: %t, error: %v", judged, err)
			}
		})
	}
	asking := func(t *testing.T, body string) *upstream {
		t.Helper()
		u := start(t, zipped(body))
		tr := &http.Transport{}
		t.Cleanup(tr.CloseIdleConnections)
		u.Transport = tr
		return u
	}
	t.Run("asked for by the transport", func(t *testing.T) {
		if body, _, err := asking(t, `{"a":1}`).ask(t.Context()); err != nil || body != `{"a":1}` {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("bomb", func(t *testing.T) {
		_, judged, err := asking(t, strings.Repeat("0", 1<<20)).ask(t.Context())
		if judged || failure(t, err).Reason != session.InvalidResponse {
			t.Errorf("judged: %t, error: %v", judged, err)
		}
	})
}

// Some servers put a byte order mark before their JSON.
func TestPostByteOrderMark(t *testing.T) {
	if body, _, err := start(t, replies(200, "\ufeff{}")).ask(t.Context()); err != nil || body != "{}" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestPostIgnoresInformationalAnswers(t *testing.T) {
	text := "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
	if body, _, err := start(t, wire(text)).ask(t.Context()); err != nil || body != "{}" {
		t.Errorf("got %q, %v", body, err)
	}
}
