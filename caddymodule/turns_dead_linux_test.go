package caddymodule_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// goDead lets nothing arrive at a connection any more, as if its cable was cut.
func goDead(t *testing.T, c net.Conn) {
	t.Helper()
	tcp, _ := c.(*net.TCPConn)
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop})
	})
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// A turn ends while its client is lost and nobody has noticed: the same request gets
// that turn, and the backend is called once. Of a client that lives it is another
// turn, at once and later.
func TestLineDeadAtTheEnd(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for name, dead := range map[string]bool{"dead": true, "alive": false} {
			for wait, pause := range map[string]time.Duration{"at once": 0, "later": turn.Arrive + 500*time.Millisecond} {
				t.Run(strings.Join([]string{version, name, wait}, " "), func(t *testing.T) {
					s := newUnloadedSite(t)
					b := newChat(t, tenFrames())
					s.LoadText(s.secure(testsite.Backends("chatkit /chatkit", b.URL)))
					var line net.Conn
					tr, _ := protocols[version]().(*http.Transport)
					tr.DialContext = func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
						line, err = new(net.Dialer).DialContext(ctx, network, addr)
						return line, err
					}
					before := s.Metric(end("ok"))
					c := s.turn(&http.Client{Transport: tr}, frameOne)
					if got := c.frame(); got != threadFrame {
						t.Errorf("got %q", got)
					}
					if dead {
						goDead(t, line)
					}
					close(b.next)
					calls := 1
					if !dead {
						calls = 2
						_ = c.rest()
					}
					s.Await(end("ok"), before+1)
					time.Sleep(pause)
					s.Client.Transport = protocols[version]()
					if got := s.Post("/chatkit", createBody, frameOne); got.Raw != strings.Join(tenFrames(), "") || len(b.has()) != calls {
						t.Errorf("got %q after %d calls, want %d", got.Raw, len(b.has()), calls)
					}
				})
			}
		}
	}
}
