package relay_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// server is a backend behind a socket.
type server struct {
	*httptest.Server
	conns atomic.Int32
	calls atomic.Int32
}

func serve(t *testing.T, h http.HandlerFunc) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		h(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// send is that of a target with net/http's own transport.
func (s *server) send(r *http.Request) (*http.Response, error) {
	r.URL.Host, r.Host = s.Listener.Addr().String(), ""
	return s.Client().Transport.RoundTrip(r)
}

// refuses is a backend that nobody listens at.
func refuses(t *testing.T) send {
	t.Helper()
	s := serve(t, nil)
	s.Listener.Close()
	return s.send
}

// resets cuts the connection without a word.
func resets(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// chunked answers with a status and hangs within its body, until it is given up.
func chunked(status int, gone chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	}
}

// echoes answers with the body, and what the request said of its length.
func echoes(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength >= 0 {
		w.Header().Set("X-Length", "known")
	}
	b, _ := io.ReadAll(r.Body)
	_, _ = w.Write(b)
}

// What comes out of a socket where the first target fails there too.
func TestFailoverOverSockets(t *testing.T) {
	gone := make(chan struct{})
	cases := []struct {
		name   string
		first  send
		reason session.Reason
		moved  bool
	}{
		{"refused", refuses(t), session.Dial, true},
		{"reset", serve(t, resets).send, session.Reset, false},
		{"chunked 503 that never ends", serve(t, chunked(503, gone)).send, session.Status5xx, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.add("a", c.first)
			second := serve(t, echoes)
			b := r.add("b", second.send)
			if !c.moved {
				if f := r.failed(nil); !slices.Equal(reasons(f.Trail), []session.Reason{c.reason}) || second.calls.Load() != 0 {
					t.Errorf("failed with %v", reasons(f.Trail))
				}
				return
			}
			got := r.carried(nil)
			if body, err := io.ReadAll(got.Body); string(body) != "hello" || err != nil || got.Target != b.Target.Target {
				t.Errorf("got %q and %v from %s", body, err, got.Target.Name)
			}
			if !slices.Equal(reasons(got.Trail), []session.Reason{c.reason}) || second.calls.Load() != 1 {
				t.Errorf("after %v", reasons(got.Trail))
			}
		})
	}
	<-gone // the first backend sees that nobody wants its answer
}

// A body over a socket is what it was, and says its length where that is known.
func TestBodyOverASocket(t *testing.T) {
	backend := serve(t, echoes)
	for _, c := range payloads {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.add("a", breaksOff(errDial))
			if !c.again {
				r.targets = nil
			}
			r.add("b", backend.send)
			got := r.carried(c.req(t.Context()))
			body, err := io.ReadAll(got.Body)
			if string(body) != c.text || err != nil {
				t.Errorf("got %d bytes and %v", len(body), err)
			}
			if known := got.Header.Get("X-Length") == "known"; known != (c.length >= 0) {
				t.Errorf("length known: %t", known)
			}
		})
	}
	if n := backend.conns.Load(); n != 1 {
		t.Errorf("%d connections for %d requests", n, backend.calls.Load())
	}
}
