package caddymodule_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// http2xconnect switches WebSockets over HTTP/2 on in Go's HTTP server, which
// has them off; it can only be set before a process starts.
const http2xconnect = "GODEBUG=http2xconnect=1"

// WebSockets over HTTP/2 (RFC 8441), in a process of their own.
func TestWebSocketOverHTTP2(t *testing.T) {
	if !strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestWebSocketOverHTTP2$", "-test.v")
		cmd.Env = append(os.Environ(), http2xconnect)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestWebSocketOverHTTP2") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, echoSocket)
	s.LoadText(s.secure(testsite.Backends("cors {\n origins https://app.example.com\n }", b.URL)))
	client := &http2.Transport{TLSClientConfig: trustAll()} //nolint:staticcheck // net/http's takes no :protocol
	t.Cleanup(client.CloseIdleConnections)                  //nolint:staticcheck // the same
	t.Run("echo", func(t *testing.T) { echoOverHTTP2(t, s, client, b) })
	for name, tt := range map[string]struct {
		protocol, origin string
		status           int
	}{
		"another protocol": {"connect-udp", "", 400},
		"another origin":   {"websocket", "https://evil.example.com", 403},
	} {
		t.Run(name, func(t *testing.T) {
			resp, _ := s.connect(client, tt.protocol, tt.origin)
			if resp.StatusCode != tt.status || len(b.Received()) != 1 {
				t.Errorf("got %s, and the backend was asked %d times", resp.Status, len(b.Received()))
			}
		})
	}
}

// connect sends an extended CONNECT.
func (s *site) connect(client http.RoundTripper, protocol, origin string) (testsite.Begun, io.Writer) {
	s.T.Helper()
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(s.T.Context(), http.MethodConnect, s.URL+lastSocket, r)
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set(":protocol", protocol)
	req.Header.Set("Sec-WebSocket-Version", "13")
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := client.RoundTrip(req)
	if err != nil {
		s.T.Fatal(err)
	}
	s.AwaitItsLog(resp)
	s.T.Cleanup(func() {
		_ = w.Close()
		_ = resp.Body.Close()
	})
	return testsite.Begun{Response: resp}, w
}

func echoOverHTTP2(t *testing.T, s *site, client http.RoundTripper, b *testsite.Taker) {
	t.Helper()
	resp, w := s.connect(client, "websocket", "https://app.example.com")
	a := answer{Header: resp.Header}
	once(t, a, "X-ChatKit-Provider", "a")
	for _, name := range []string{"Upgrade", "Connection", "Sec-Websocket-Accept"} {
		once(t, a, name, "")
	}
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Fatalf("got %s over %s", resp.Status, resp.Proto)
	}
	if got := b.Only(t); got.Method != http.MethodGet || got.URL.Path != "/ws/chat/session-1" {
		t.Errorf("the backend got %s %s", got.Method, got.URL)
	}
	timer := time.AfterFunc(20*time.Second, func() { _ = resp.Body.Close() })
	defer timer.Stop()
	for _, f := range []frame{{fin | opText, "hällo"}, {fin | opBinary, pattern(1 << 20)}, {fin | opClose, code(4000, "bye")}} {
		go func() { _, _ = w.Write(f.bytes(true)) }()
		if got, err := readFrame(resp.Body); err != nil || got != f {
			t.Fatalf("got %.20q of %d bytes and %v", got.payload, len(got.payload), err)
		}
	}
	s.Await(inFlightSocket, 0)
}
