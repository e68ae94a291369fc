package caddymodule_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// planted are credentials of a client's, and of an answer's.
var planted = []string{
	"planted-auth", "planted-cookie", "planted-token", "planted-protocol", "planted-query", "planted-session",
	"planted-set-cookie", "planted-answer", "planted-location",
}

// tellsAll answers with credentials, and breaks off. It upgrades where that is
// asked for.
func tellsAll(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Set-Cookie", "s=planted-set-cookie")
	h.Set("X-Auth-Token", "planted-answer")
	h.Set("Location", "/?planted-location")
	if r.Header.Get("Upgrade") == "" {
		cutAfter(0)(w, r)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"X-Auth-Token: planted-answer\r\nSec-WebSocket-Protocol: planted-protocol\r\n\r\n")
	_ = rw.Flush()
}

// No log line of ours, or of the proxy's, shows what a client and a backend tell
// each other, and both are told all of it. The access log is Caddy's, with a copy
// that was made before.
func TestCarriedCredentialsStayOutOfLogs(t *testing.T) {
	const headers = "X-Auth-Token: planted-token\r\nAuthorization: Bearer planted-auth\r\nCookie: s=planted-cookie\r\n"
	for _, level := range []string{"DEBUG", "INFO"} {
		t.Run(level, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, tellsAll)
			s.LoadText(strings.Replace(s.Caddyfile(testsite.Backends("failover any", testsite.Nobody(t), b.URL+"\n forward_headers X-Auth-Token")), "level DEBUG", "level "+level, 1))
			stream := s.Raw("POST /api/custom/stream?token=planted-query HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + headers + "Content-Length: 2\r\n\r\n{}")
			w := s.Dial()
			w.Send("GET /api/ws/chat/planted-session?token=planted-query HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: planted-protocol\r\n" + headers + "\r\n")
			socket, _ := io.ReadAll(w.R)
			s.Await(inFlightSocket, 0)
			s.Await(inFlightStream, 0)
			checkTold(t, b, stream, string(socket))
			s.AwaitLogged("caddy.log", "aborting with incomplete response", "/api/custom/stream")
			if level == "DEBUG" {
				s.AwaitLogged("caddy.log", "upstream roundtrip", "/api/ws/chat/{session}")
			}
			log := strings.Join(s.Logged("caddy.log"), "")
			for _, secret := range planted {
				if i := strings.Index(log, secret); i >= 0 {
					t.Errorf("caddy.log shows %s: %s", secret, log[max(0, i-300):i+len(secret)])
				}
			}
		})
	}
}

// checkTold checks that backend and client have got everything.
func checkTold(t *testing.T, b *testsite.Taker, stream, socket string) {
	t.Helper()
	for _, r := range b.Received() {
		for name, want := range map[string]string{
			"X-Auth-Token": "planted-token", "Authorization": "Bearer planted-auth", "Cookie": "s=planted-cookie",
		} {
			once(t, answer{Header: r.Header}, name, want)
		}
		if r.URL.RawQuery != "token=planted-query" {
			t.Errorf("the backend got %s", r.URL)
		}
	}
	for _, want := range []string{"X-Auth-Token: planted-answer\r\n", "Set-Cookie: s=planted-set-cookie\r\n", "Location: /?planted-location\r\n"} {
		if strings.Count(stream, want) != 1 {
			t.Errorf("the stream has no %q:\n%s", want, stream)
		}
	}
	for _, want := range []string{"X-Auth-Token: planted-answer\r\n", "Sec-WebSocket-Protocol: planted-protocol\r\n"} {
		if strings.Count(strings.ToLower(socket), strings.ToLower(want)) != 1 {
			t.Errorf("the WebSocket has no %q:\n%s", want, socket)
		}
	}
}
