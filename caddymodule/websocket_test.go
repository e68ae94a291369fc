package caddymodule_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/websocket"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	inFlightSocket = `streams_in_flight{kind="websocket"}`
	socketsOK      = `streams_total{kind="websocket",outcome="ok"}`
)

// Frames pass as they are, in both directions.
func TestWebSocketFrames(t *testing.T) {
	s := echoing(t, "")
	ended := s.Metric(socketsOK)
	c := s.socket("Origin: https://anywhere.example.com")
	s.Await(inFlightSocket, 1)
	for _, f := range []frame{
		{fin | opText, "hällo"},
		{fin | opText, ""},
		{fin | opBinary, "\x00\xff\x80"},
		{fin | opText, pattern(125)}, {fin | opText, pattern(126)}, {fin | opText, pattern(1<<16 - 1)}, {fin | opText, pattern(1 << 16)},
		{fin | opBinary, pattern(1 << 20)},
		{opText, "one "}, {opContinue, "two "}, {fin | opContinue, "three"}, // fragments
		{fin | opPong, "unasked"},
	} {
		c.say(f)
		c.hear(f)
	}
	c.say(frame{fin | opPing, "are you there"})
	c.hear(frame{fin | opPong, "are you there"})
	c.say(frame{fin | opClose, code(1000, "")})
	c.hear(frame{fin | opClose, code(1000, "")})
	if rest, err := io.ReadAll(c.R); err != nil || len(rest) > 0 {
		t.Errorf("got %q and %v after the end", rest, err)
	}
	s.Await(inFlightSocket, 0)
	s.Await(socketsOK, ended+1)
}

// Codes that close pass as they are, whoever closes.
func TestWebSocketCloseCodes(t *testing.T) {
	s := echoing(t, "")
	for _, status := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4000, 4999} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			c := s.socket()
			want := frame{fin | opClose, code(status, "for a reason")}
			c.say(want)
			c.hear(want)
			if _, err := c.R.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want the end", err)
			}
		})
	}
}

// A backend that is gone is the end for the client: it gets no frame that
// closes, which is what front ends see as 1006.
func TestWebSocketCutByTheBackend(t *testing.T) {
	s := echoing(t, "")
	c := s.socket()
	c.say(frame{fin | opText, "first"})
	c.hear(frame{fin | opText, "first"})
	c.say(frame{fin | opText, "cut"})
	if f, err := readFrame(c.R); err == nil {
		t.Errorf("got a frame %x %q", f.first, f.payload)
	}
	s.Await(inFlightSocket, 0)
}

// An independent client and an independent backend understand each other.
func TestWebSocketLibrary(t *testing.T) {
	s := newUnloadedSite(t)
	echo := websocket.Server{Handler: func(c *websocket.Conn) {
		for {
			var text string
			if websocket.Message.Receive(c, &text) != nil || websocket.Message.Send(c, text) != nil {
				return
			}
		}
	}}
	s.Load(testsite.Backends("", testsite.OwnBackend(t, echo.ServeHTTP)))
	for _, subprotocol := range []string{"", "chat.v2"} {
		config, err := websocket.NewConfig(strings.Replace(s.URL, "http", "ws", 1)+lastSocket, "https://app.example.com")
		if err != nil {
			t.Fatal(err)
		}
		if subprotocol != "" {
			config.Protocol = []string{subprotocol}
		}
		c, err := config.DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"", "hällo", pattern(1 << 20)} {
			var got string
			if err := websocket.Message.Send(c, want); err != nil {
				t.Fatal(err)
			}
			if err := websocket.Message.Receive(c, &got); err != nil || got != want {
				t.Fatalf("got %d bytes and %v, want %d", len(got), err, len(want))
			}
		}
		_ = c.Close()
	}
	s.Await(inFlightSocket, 0)
}

// What is no WebSocket request from an origin that may is refused, and no
// backend is asked.
func TestWebSocketRefusals(t *testing.T) {
	const cors = "cors {\n origins https://app.example.com\n }"
	tests := []struct {
		name, options, method string
		headers               []string
		status                int
		code                  string
	}{
		{"plain GET", "", "GET", nil, 400, "BAD_REQUEST"},
		{"h2c", "", "GET", []string{"Connection: Upgrade", "Upgrade: h2c"}, 400, "BAD_REQUEST"},
		{"upgrade that is none", "", "GET", []string{"Upgrade: websocket"}, 400, "BAD_REQUEST"},
		{"POST", "", "POST", nil, 405, "METHOD_NOT_ALLOWED"},
		{"POST that upgrades", "", "POST", []string{"Connection: Upgrade", "Upgrade: websocket"}, 405, "METHOD_NOT_ALLOWED"},
		{"another origin", cors, "GET", []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: https://evil.example.com"}, 403, "FORBIDDEN_ORIGIN"},
		{"null origin", cors, "GET", []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: null"}, 403, "FORBIDDEN_ORIGIN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, echoSocket)
			s.Load(testsite.Backends(tt.options, b.URL))
			request := append([]string{tt.method + " " + lastSocket + " HTTP/1.1", "Host: 127.0.0.1", "Sec-WebSocket-Version: 13",
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, tt.headers...)
			w := s.Dial()
			w.Send(strings.Join(request, "\r\n") + "\r\n\r\n")
			a, ok := w.Answer()
			if !ok || a.Status != tt.status || len(b.Received()) > 0 {
				t.Errorf("got %d %q and the backend was asked %d times", a.Status, a.Raw, len(b.Received()))
			}
			if !strings.Contains(a.Raw, `"code":"`+tt.code+`"`) {
				t.Errorf("got %s, want code %s", a.Raw, tt.code)
			}
			once(t, a, "Allow", map[bool]string{true: "GET, OPTIONS"}[tt.status == http.StatusMethodNotAllowed])
		})
	}
}
