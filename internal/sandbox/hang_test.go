package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// arrivals reports each session request on a channel.
func arrivals(s *sandbox.Server) <-chan struct{} {
	ch := make(chan struct{}, 100)
	s.OnRequest(func(*sandbox.Recorded) { ch <- struct{}{} })
	return ch
}

func TestHang(t *testing.T) {
	canceled := func(err error) bool { return errors.Is(err, context.Canceled) }
	broken := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }
	switchTo := func(f sandbox.Fault) func(*sandbox.Server, func()) error {
		return func(s *sandbox.Server, _ func()) error { return s.Set(f) }
	}
	cases := []struct {
		name string
		end  func(s *sandbox.Server, leave func()) error
		want func(error) bool
	}{
		{"client leaves", func(_ *sandbox.Server, leave func()) error { leave(); return nil }, canceled},
		{"healed", switchTo(sandbox.None), broken},
		{"other fault", switchTo(sandbox.Status500), broken},
		{"refused", switchTo(sandbox.Refuse), broken},
		{"closed", func(s *sandbox.Server, _ func()) error { return s.Close() }, broken},
	}
	for _, k := range kinds {
		for _, tc := range cases {
			t.Run(k.name+"/"+tc.name, func(t *testing.T) {
				s, c := k.run(t, sandbox.Options{}), newClient(t)
				set(t, s, sandbox.Hang)
				arrived := arrivals(s)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				result := make(chan seen, 1)
				r := newRequest(ctx, t, s.URL()+k.path, k.body)
				go func() { result <- do(c, r) }()
				<-arrived
				if err := tc.end(s, leave); err != nil {
					t.Fatal(err)
				}
				if got := <-result; !tc.want(got.err) {
					t.Errorf("error %v, status %d", got.err, got.status)
				}
				if s.Calls() != 1 || len(s.Issued()) != 0 {
					t.Errorf("calls %d, issued %v", s.Calls(), s.Issued())
				}
			})
		}
	}
}

func TestSlowEndsWithTheServerOrTheClient(t *testing.T) {
	cases := []struct {
		name string
		end  func(s *sandbox.Server, leave func())
	}{
		{"client leaves", func(_ *sandbox.Server, leave func()) { leave() }},
		{"refused", func(s *sandbox.Server, _ func()) { _ = s.Set(sandbox.Refuse) }},
		{"closed", func(s *sandbox.Server, _ func()) { _ = s.Close() }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s, c := kinds[0].run(t, sandbox.Options{SlowBy: time.Hour}), newClient(t)
			set(t, s, sandbox.Slow)
			arrived := arrivals(s)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			result := make(chan seen, 1)
			r := newRequest(ctx, t, s.URL()+backendPath, backendBody)
			go func() { result <- do(c, r) }()
			<-arrived
			tc.end(s, leave)
			if got := <-result; got.err == nil {
				t.Errorf("answered %d", got.status)
			}
			if err := s.Close(); err != nil || len(s.Issued()) != 0 {
				t.Errorf("close: %v, issued %v", err, s.Issued())
			}
		})
	}
}

// With a pipelined second request the server cannot notice that the client left.
// It still stops waiting when it is closed.
func TestCloseEndsPipelinedRequests(t *testing.T) {
	for _, f := range []sandbox.Fault{sandbox.Hang, sandbox.Slow} {
		t.Run(string(f), func(t *testing.T) {
			s := kinds[0].run(t, sandbox.Options{SlowBy: time.Hour})
			set(t, s, f)
			arrived := arrivals(s)
			conn := rawRequest(t, s, strings.Repeat("POST /api/sessions?user_id=u HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 2))
			<-arrived
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("something was answered")
			}
		})
	}
}

// A request that is never complete is not counted.
func TestHalfARequest(t *testing.T) {
	s := kinds[0].run(t, sandbox.Options{})
	conn := rawRequest(t, s, "POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
	if tcp, ok := conn.(*net.TCPConn); !ok || tcp.CloseWrite() != nil {
		t.Fatal("cannot close half the connection")
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want connection reset", err)
	}
	if s.Calls() != 0 {
		t.Errorf("calls %d", s.Calls())
	}
}

// rawRequest sends bytes on a separate connection.
func rawRequest(t *testing.T, s *sandbox.Server, request string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}
