package caddymodule_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A turn whose body is at fault ends with an event, too, as soon as it is known to be
// a turn; any other request gets the problem. Nothing is sent to the backend.
func TestBodiesOfTurns(t *testing.T) {
	const list = `{"type":"threads.list","params":{}}`
	stall := func(path, body, headers string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "Content-Length: 1000\r\n\r\n" + body
	}
	for _, tt := range []struct {
		name, options, request string
		status                 int
		words                  string
	}{
		{"a turn stalls", "first_byte 300ms", stall("/chatkit", createBody, ""), 200, "did not arrive in time"},
		{"a turn stalls, Expect", "first_byte 300ms", stall("/chatkit", createBody, "Expect: 100-continue\r\n"), 200, "did not arrive in time"},
		{"something else stalls", "first_byte 300ms", stall("/chatkit", list, ""), 408, "BODY_TIMEOUT"},
		{"nobody knows what stalls", "first_byte 300ms", stall("/chatkit", `{"params":{`, ""), 408, "BODY_TIMEOUT"},
		{"a long turn stalls", "first_byte 300ms\n buffer 5KB", strings.Replace(stall("/chatkit", createBody+strings.Repeat(" ", 6000), ""), "1000", "90000", 1), 200, "did not arrive in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			s.Load(testsite.Backends(tt.options+"\n chatkit /chatkit", testsite.OwnBackend(t, hangs("")), testsite.Nobody(t)))
			w := s.Dial()
			w.Send(tt.request)
			a, ok := w.Answer()
			for ok && a.Status == http.StatusContinue {
				a, ok = w.Answer()
			}
			if !ok || a.Status != tt.status || !strings.Contains(a.Raw, tt.words) {
				t.Errorf("got %d %q", a.Status, a.Raw)
			}
			if event := strings.HasPrefix(a.Raw, `data: {"type":"error"`); event != (tt.status == 200) {
				t.Errorf("got %q", a.Raw)
			}
			if _, more := w.Answer(); more {
				t.Error("the connection goes on")
			}
		})
	}
}

// A body over a limit of the site's, as request_body sets one.
func TestBodiesOfTurnsOverTheSitesLimit(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, tells(wholeTurn))
	s.LoadText(strings.Replace(s.Caddyfile(testsite.Backends("chatkit /chatkit", b.URL)), "chatkit {", "request_body {\n max_size 8KiB\n }\n chatkit {", 1))
	send := func(kind string) testsite.Answer {
		body := fmt.Sprintf(`{"type":%q,"pad":"%s"}`, kind, pattern(20<<10)) // chunked: Caddy itself refuses what is announced
		w := s.Dial()
		w.Send("POST /chatkit HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body))
		a, _ := w.Answer()
		return a
	}
	if got := send("threads.create"); got.Status != 200 || !strings.Contains(got.Raw, `"allow_retry":false`) || !strings.Contains(got.Raw, "at most 8.0 KiB") {
		t.Errorf("a turn got %d %q", got.Status, got.Raw)
	}
	checkError(t, send("threads.list"), "BODY_TOO_LARGE")
}

// A client that is lost before the first backend has failed: the next one gets the
// whole message, and its memory is given back once.
func TestBodyOfALostClient(t *testing.T) {
	for name, body := range map[string]string{
		"short": createBody, "long": strings.Replace(createBody, "Hi", strings.Repeat("Hi", 50<<10), 1),
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			asked, lost := make(chan struct{}), make(chan struct{})
			first := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) {
				close(asked)
				<-lost
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			second := testsite.NewTaker(t, tells(wholeTurn))
			s.Load(testsite.Backends("chatkit /chatkit", first.URL, second.URL))
			before := s.Metric(end("ok"))
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-asked
				leave()
			}()
			if _, err := testsite.Try(ctx, s.Client, http.MethodPost, s.URL+"/chatkit", body, frameOne); err == nil {
				t.Error("the client is not lost")
			}
			s.AwaitLogged("access.log", `"chatkit_outcome":"canceled"`)
			close(lost)
			s.Await(end("ok"), before+1)
			s.Await("buffered_bytes", 0)
			if got := second.Only(t).Text; got != body || first.Only(t).Text != body {
				t.Errorf("the second backend got %d bytes, want %d", len(got), len(body))
			}
		})
	}
}

// A backend that compresses its streams is asked not to, so that its frames can be
// read: a turn that is cut still ends in order.
func TestTurnsAreNotCompressed(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			aborts(lead+addedFrame)(w, r)
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/event-stream")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "{}")
		_ = z.Close()
	})
	s.Load(testsite.Backends("chatkit /chatkit", b.URL))
	if got := s.Post("/chatkit", createBody, "Accept-Encoding: gzip, br"); got.Raw != lead+addedFrame+retryEvent {
		t.Errorf("got %q", got.Raw)
	}
	s.Post("/chatkit", `{"type":"threads.list","params":{}}`, "Accept-Encoding: gzip, br")
	if got := b.Received(); len(got) != 2 || got[0].Header.Get("Accept-Encoding") != "identity" || got[1].Header.Get("Accept-Encoding") != "gzip, br" {
		t.Errorf("the backend got %v", got)
	}
}
