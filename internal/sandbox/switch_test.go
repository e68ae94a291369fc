package sandbox_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestRefuseAndHealKeepThePort(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			s, c := k.run(t, sandbox.Options{}), newClient(t)
			url := s.URL()
			for range 5 {
				wantSession(t, k, k.ask(t, c, s)) // leaves an idle connection
				set(t, s, sandbox.Refuse)
				wantError(syscall.ECONNREFUSED)(t, k, k.ask(t, c, s))
				set(t, s, sandbox.None)
			}
			if s.URL() != url || !strings.HasPrefix(url, "http://127.0.0.1:") {
				t.Errorf("url %q, was %q", s.URL(), url)
			}
		})
	}
}

func TestRefuseResetsOpenConnections(t *testing.T) {
	s := kinds[0].run(t, sandbox.Options{})
	conn := dial(t, s)
	set(t, s, sandbox.Refuse)
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want connection reset", err)
	}
}

// dial returns a connection that has served one request and is idle.
func dial(t *testing.T, s *sandbox.Server) net.Conn {
	t.Helper()
	conn := rawRequest(t, s, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return conn
}

func TestSetRefusesWhatItDoesNotKnow(t *testing.T) {
	s := kinds[0].run(t, sandbox.Options{})
	if err := s.Set("nonsense"); err == nil || s.Fault() != sandbox.None {
		t.Errorf("error %v, fault %s", err, s.Fault())
	}
}

func TestSetAfterClose(t *testing.T) {
	for _, f := range []sandbox.Fault{sandbox.None, sandbox.Refuse, sandbox.Hang} {
		s := kinds[0].run(t, sandbox.Options{})
		set(t, s, f)
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("close under %s: %v", f, err)
			}
		}
		if err := s.Set(sandbox.Slow); !errors.Is(err, sandbox.ErrClosed) {
			t.Errorf("set after close: %v", err)
		}
	}
}

func TestListenErrorIsReported(t *testing.T) {
	taken := kinds[0].run(t, sandbox.Options{})
	for _, k := range kinds {
		if _, err := k.start(sandbox.Options{Addr: strings.TrimPrefix(taken.URL(), "http://")}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

func TestURLOfAnUnspecifiedAddress(t *testing.T) {
	s, c := kinds[0].run(t, sandbox.Options{Addr: ":0"}), newClient(t)
	if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Fatalf("url %q", s.URL())
	}
	set(t, s, sandbox.Refuse)
	set(t, s, sandbox.None)
	wantSession(t, kinds[0], kinds[0].ask(t, c, s))
}

func TestHookSetsTheFaultOfTheNextRequest(t *testing.T) {
	k := kinds[0]
	for _, f := range []sandbox.Fault{sandbox.Status500, sandbox.Reset, sandbox.HTML, sandbox.Refuse} {
		t.Run(string(f), func(t *testing.T) {
			s, c := k.run(t, sandbox.Options{}), newClient(t)
			s.OnRequest(func(*sandbox.Recorded) { _ = s.Set(f) })
			if got := k.ask(t, c, s); f == sandbox.Refuse {
				wantError(syscall.ECONNRESET)(t, k, got)
			} else {
				wantSession(t, k, got)
			}
			looks[f](t, k, k.ask(t, c, s))
			s.OnRequest(nil)
			set(t, s, sandbox.None)
			wantSession(t, k, k.ask(t, c, s))
		})
	}
}
