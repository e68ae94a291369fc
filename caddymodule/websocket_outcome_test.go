package caddymodule_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// fickleSocket is a backend that echoes until a text tells it how to end.
func fickleSocket(w http.ResponseWriter, r *http.Request) {
	conn, rw := acceptSocket(w, r)
	defer conn.Close()
	bye := frame{fin | opClose, code(1000, "")}
	for {
		f, err := readFrame(rw)
		if err != nil {
			return
		}
		switch {
		case f.payload == "hang up":
			return
		case f.payload == "reset":
			_ = conn.(*net.TCPConn).SetLinger(0)
			return
		case f.payload == "half a frame":
			b := frame{fin | opText, "more to come"}.bytes(false)
			_, _ = conn.Write(b[:len(b)/2])
			return
		case f.payload == "close and hang up":
			_, _ = conn.Write(bye.bytes(false))
			return
		case f.payload == "close":
			_, _ = conn.Write(bye.bytes(false))
			_, _ = readFrame(rw)
			return
		case f.first == fin|opClose && f.payload == code(4000, "no answer"):
			return
		case f.first == fin|opClose && f.payload == code(1001, ""):
			continue // an end before Caddy's own could overtake its other frame
		}
		if _, err = conn.Write(f.bytes(false)); err != nil || f.first == fin|opClose {
			return
		}
	}
}

// client is the client's end of a WebSocket, over any version of HTTP.
type client struct {
	t     *testing.T
	r     io.Reader
	w     io.Writer
	fin   func() // its half ends
	reset func() // it vanishes
	drop  func() // and its connection with it
}

// say sends frames.
func (c *client) say(frames ...frame) {
	for _, f := range frames {
		_, _ = c.w.Write(f.bytes(true))
	}
}

// hear reads a frame.
func (c *client) hear(want frame) {
	c.t.Helper()
	if got, err := readFrame(c.r); err != nil || got != want {
		c.t.Errorf("got %x %q and %v, want %x %q", got.first, got.payload, err, want.first, want.payload)
	}
}

// hearTheEnd reads to the end, however that comes.
func (c *client) hearTheEnd() { _, _ = io.Copy(io.Discard, c.r) }

// overHTTP1 opens a WebSocket over HTTP/1.1.
func (s *site) overHTTP1(t *testing.T) *client {
	t.Helper()
	return onWire(t, s.socket().Wire)
}

// unlogged opens one where there is no access log to wait for.
func (s *site) unlogged(t *testing.T) *client {
	t.Helper()
	w := s.Dial()
	w.Send("GET " + lastSocket + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	resp, err := http.ReadResponse(w.R, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %s", resp.Status)
	}
	return onWire(t, w)
}

// onWire is the client's end of a connection that was upgraded.
func onWire(t *testing.T, w *testsite.Wire) *client {
	t.Helper()
	tcp := w.Conn.(*net.TCPConn)
	reset := func() {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
	return &client{t: t, r: w.R, w: w, fin: func() { _ = tcp.CloseWrite() }, reset: reset, drop: func() { _ = tcp.Close() }}
}

// overHTTP2 opens one over a connection of HTTP/2 of its own.
func (s *site) overHTTP2(t *testing.T) *client {
	t.Helper()
	var tcp *net.TCPConn
	//nolint:staticcheck // net/http's takes no :protocol
	transport := &http2.Transport{DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		tcp = conn.(*net.TCPConn)
		config := trustAll()
		config.NextProtos = []string{"h2"}
		return tls.Client(conn, config), nil
	}}
	t.Cleanup(transport.CloseIdleConnections) //nolint:staticcheck // the same
	resp, w := s.connect(transport, "websocket", "")
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Fatalf("got %s over %s", resp.Status, resp.Proto)
	}
	timer := time.AfterFunc(30*time.Second, func() { _ = resp.Body.Close() })
	t.Cleanup(func() { timer.Stop() })
	return &client{
		t: t, r: bufio.NewReader(resp.Body), w: w,
		fin:   func() { _ = w.(io.Closer).Close() },
		reset: func() { _ = resp.Body.Close() },
		drop: func() {
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
		},
	}
}

// socketEnds are the ways a WebSocket can end, and what each is counted as.
var socketEnds = []struct {
	name, outcome string
	end           func(c *client)
}{
	{"backend hangs up", "cut", func(c *client) { c.say(text("hang up")); c.hearTheEnd() }},
	{"backend resets", "cut", func(c *client) { c.say(text("reset")); c.hearTheEnd() }},
	{"backend hangs up within a frame", "cut", func(c *client) { c.say(text("half a frame")); c.hearTheEnd() }},
	{"backend hangs up, and the client says goodbye", "cut", func(c *client) {
		c.say(text("hang up"))
		c.hearTheEnd()
		c.say(goodbye)
	}},
	{"client's half ends", "canceled", func(c *client) { c.fin() }},
	{"client vanishes", "canceled", func(c *client) { c.reset() }},
	{"client's connection goes", "canceled", func(c *client) { c.drop() }},
	{"client vanishes within a frame", "canceled", func(c *client) {
		_, _ = c.w.Write(text("more to come").bytes(true)[:9])
		c.reset()
	}},
	{"client closes", "ok", func(c *client) { c.say(goodbye); c.hear(goodbye) }},
	{"client closes and vanishes", "ok", func(c *client) { c.say(goodbye); c.hear(goodbye); c.reset() }},
	{"client closes, and the backend hangs up", "ok", func(c *client) {
		c.say(frame{fin | opClose, code(4000, "no answer")})
		c.hearTheEnd()
	}},
	{"backend closes", "ok", func(c *client) { c.say(text("close")); c.hear(goodbye); c.say(goodbye); c.hearTheEnd() }},
	{"backend closes, and the client vanishes", "ok", func(c *client) { c.say(text("close")); c.hear(goodbye); c.reset() }},
	{"backend closes and hangs up", "ok", func(c *client) { c.say(text("close and hang up")); c.hear(goodbye); c.hearTheEnd() }},
}

func text(payload string) frame { return frame{fin | opText, payload} }

var goodbye = frame{fin | opClose, code(1000, "")}

// sockets are the WebSockets that have ended so far, by outcome.
func (s *site) sockets() map[string]float64 {
	s.T.Helper()
	n := make(map[string]float64)
	for _, outcome := range []string{"ok", "cut", "canceled", "idle", "failed"} {
		n[outcome] = s.Metric(fmt.Sprintf(`streams_total{kind="websocket",outcome=%q}`, outcome))
	}
	return n
}

// counted waits until n WebSockets have ended, and checks that nothing else was
// counted than one outcome for each.
func (s *site) counted(t *testing.T, before map[string]float64, outcome string, n float64) {
	t.Helper()
	s.Await(inFlightSocket, 0)
	before[outcome] += n
	for name, got := range s.sockets() {
		if got != before[name] {
			t.Errorf("%s: %v, want %v", name, got, before[name])
		}
	}
}

// endSockets ends WebSockets in every way.
func endSockets(t *testing.T, s *site, open func(*testing.T) *client) {
	t.Helper()
	for _, tt := range socketEnds {
		t.Run(tt.name, func(t *testing.T) {
			s.Await(inFlightSocket, 0)
			before := s.sockets()
			c := open(t)
			s.Await(inFlightSocket, 1)
			c.say(text("hello"))
			c.hear(text("hello"))
			tt.end(c)
			c.drop()
			s.counted(t, before, tt.outcome, 1)
		})
	}
}

// drainSockets ends WebSockets by a reload: idle ones, and ones whose client is
// in the middle of a frame.
func drainSockets(t *testing.T, s *site, open func(*testing.T) *client, load func(options string)) {
	t.Helper()
	const n = 6
	before := s.sockets()
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = open(t)
		if i%2 == 1 {
			_, _ = clients[i].w.Write(text(pattern(1000)).bytes(true)[:500])
		}
	}
	s.Await(inFlightSocket, n)
	load("drain 301ms")
	for _, c := range clients {
		c.hear(frame{fin | opClose, code(1001, "")})
		c.hearTheEnd()
		c.drop()
	}
	s.counted(t, before, "ok", n)
}

// What became of a WebSocket is counted once, by who ended it and whether it
// was closed before.
func TestWebSocketOutcomes(t *testing.T) {
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, fickleSocket)
	s.Load(testsite.Backends("", url))
	endSockets(t, s, s.overHTTP1)
}

// Caddy's drain closes with a frame of its own. Without an access log: the writer
// that counts for it is shared by the drain and the answer without a lock.
func TestWebSocketOutcomeOfDrain(t *testing.T) {
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, fickleSocket)
	load := func(options string) { s.loadUnlogged(testsite.Backends(options, url)) }
	load("drain 300ms")
	drainSockets(t, s, s.unlogged, load)
}

// loadUnlogged loads a site that has no access log.
func (s *site) loadUnlogged(block string) {
	s.T.Helper()
	before, rest, _ := strings.Cut(s.Caddyfile(block), s.URL+" {")
	_, routes, ok := strings.Cut(rest, "\troute {")
	if !ok {
		s.T.Fatalf("no route in %s", rest)
	}
	s.LoadText(before + s.URL + " {\n\troute {" + routes)
}

// The same over HTTP/2, in a process of its own.
func TestWebSocketOutcomesOverHTTP2(t *testing.T) {
	if !strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), http2xconnect)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, fickleSocket)
	load := func(options string) {
		s.LoadText(s.secure(testsite.Backends(options, url)))
	}
	load("drain 300ms")
	endSockets(t, s, s.overHTTP2)
	t.Run("drain", func(t *testing.T) { drainSockets(t, s, s.overHTTP2, load) })
}
