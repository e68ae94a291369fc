package sandbox_test

import (
	"bufio"
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

// slowest is a backend whose Slow outlasts the test.
var slowest = kind{name: "slow", start: sandbox.NewBackend, slowBy: time.Hour}

// A request without an answer ends with the client, the fault or the server.
func TestUnansweredRequests(t *testing.T) {
	canceled := func(err error) bool { return errors.Is(err, context.Canceled) }
	broken := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }
	leaves := func(_ *sandbox.Server, leave func()) error { leave(); return nil }
	closed := func(s *sandbox.Server, _ func()) error { return s.Close() }
	switchTo := func(f sandbox.Fault) func(*sandbox.Server, func()) error {
		return func(s *sandbox.Server, _ func()) error { return s.Set(f) }
	}
	for _, tc := range []struct {
		fault sandbox.Fault
		name  string
		end   func(s *sandbox.Server, leave func()) error
		want  func(error) bool
	}{
		{sandbox.Hang, "client leaves", leaves, canceled},
		{sandbox.Hang, "healed", switchTo(sandbox.None), broken},
		{sandbox.Hang, "refused", switchTo(sandbox.Refuse), broken},
		{sandbox.Hang, "closed", closed, broken},
		{sandbox.Slow, "client leaves", leaves, canceled},
		{sandbox.Slow, "closed", closed, broken},
	} {
		t.Run(string(tc.fault)+"/"+tc.name, func(t *testing.T) {
			s, c := slowest.run(t, ""), newClient(t)
			set(t, s, tc.fault)
			arrived := arrivals(s)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			result := make(chan seen, 1)
			r := newRequest(t, s.URL()+backendPath, backendBody).WithContext(ctx)
			go func() { result <- do(c, r) }()
			<-arrived
			if err := tc.end(s, leave); err != nil {
				t.Fatal(err)
			}
			if got := <-result; !tc.want(got.err) {
				t.Errorf("error %v, status %d", got.err, got.status)
			}
			if err := s.Close(); err != nil || s.Calls() != 1 || len(s.Issued()) != 0 {
				t.Errorf("close: %v, calls %d, issued %v", err, s.Calls(), s.Issued())
			}
		})
	}
}

// A reply comes word by word, and closing the server cuts it.
func TestStreamIsCut(t *testing.T) {
	s := stream.run(t, testKey)
	resp, err := newClient(t).Do(newRequest(t, s.URL()+streamPath, streamBody))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); err != nil || !strings.Contains(first, `"delta":"You "`) {
		t.Fatalf("first event %q (%v)", first, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(lines); err == nil || strings.Contains(string(rest), `"done"`) {
		t.Errorf("the reply came to its end: %q (%v)", rest, err)
	}
}

// With a pipelined second request the server cannot notice that the client left.
// It still stops waiting when it is closed.
func TestCloseEndsPipelinedRequests(t *testing.T) {
	for _, f := range []sandbox.Fault{sandbox.Hang, sandbox.Slow} {
		s := slowest.run(t, "")
		set(t, s, f)
		arrived := arrivals(s)
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.WriteString(conn, strings.Repeat("POST /api/sessions?user_id=u HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 2))
		<-arrived
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: something was answered", f)
		}
	}
}

// Refuse resets idle connections too, and a healed server has its port again.
func TestRefuseAndHealKeepThePort(t *testing.T) {
	s, c := backend.run(t, testKey), newClient(t)
	url := s.URL()
	for range 3 {
		wantSession(t, backend, backend.ask(t, c, s)) // leaves an idle connection
		set(t, s, sandbox.Refuse)
		looks[sandbox.Refuse](t, backend, backend.ask(t, c, s))
		set(t, s, sandbox.None)
	}
	if err := s.Set("nonsense"); err == nil || s.Fault() != sandbox.None {
		t.Errorf("set an unknown fault: %v, fault is %s", err, s.Fault())
	}
	if s.URL() != url || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("url %q, was %q", s.URL(), url)
	}
}
