package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// What of the client's request reaches the backend. Nothing of the app's own
// (cookies) does, unless the operator says so.
func TestForwardedHeaders(t *testing.T) {
	sent := []string{
		"Authorization: Bearer secret-of-the-session", "Cookie: login=planted", "Origin: https://app.example.com",
		"X-Auth-Token: token", "Accept: text/event-stream", "X-Request-Id: mine", "Content-Type: application/json",
		"Chatkit-Frame-Instance-Id: 7", "Accept-Language: de",
	}
	common := map[string]string{
		"Authorization": "Bearer secret-of-the-session", "X-Auth-Token": "token", "Accept": "text/event-stream",
		"X-Request-Id": "mine", "Content-Type": "application/json", "Chatkit-Frame-Instance-Id": "7", "Accept-Language": "de",
	}
	tests := []struct{ name, options string }{
		{"by default", ""},
		{"with forwarded headers", "\n forward_headers X-Auth-Token"},
		{"with a key of our own", "\n key planted-key"},
	}
	for _, tt := range tests {
		for _, path := range []string{"/api/custom/stream", "/api/custom/message"} {
			t.Run(tt.name+", "+path, func(t *testing.T) {
				s := newUnloadedSite(t)
				b := testsite.NewTaker(t, nil)
				s.Load(testsite.Backends("cors {\n origins https://app.example.com\n }", b.URL+tt.options))
				a := s.Post(path+"?a=1&b=%20", "{}", sent...)
				once(t, a, "X-Request-Id", "mine")
				got := b.Only(t)
				for name, want := range common {
					once(t, answer{Header: got.Header}, name, want)
				}
				once(t, answer{Header: got.Header}, "Cookie", "login=planted")
				once(t, answer{Header: got.Header}, "Origin", "https://app.example.com")
				if "http://"+got.Host != b.URL || got.URL.RawQuery != "a=1&b=%20" {
					t.Errorf("it went to %s%s", got.Host, got.URL)
				}
			})
		}
	}
}

// Every attempt of a request has the id of the answer, once.
func TestStreamRequestID(t *testing.T) {
	for name, headers := range map[string]string{
		"none": "", "sane": "X-Request-Id: sane\r\n", "two": "X-Request-Id: one\r\nx-request-id: two\r\n", "mad": "X-Request-Id: a b\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			a, b := testsite.NewTaker(t, leaky(503)), testsite.NewTaker(t, nil)
			s.Load(testsite.Backends("", a.URL, b.URL))
			got := testsite.ParseAnswer(t, s.Raw(strings.Replace(lastStream, "Connection", headers+"Connection", 1)))
			id := got.Header.Get("X-Request-Id")
			once(t, got, "X-Request-Id", id)
			once(t, answer{Header: a.Only(t).Header}, "X-Request-Id", id)
			once(t, answer{Header: b.Only(t).Header}, "X-Request-Id", id)
			if id == "" || strings.Contains(id, " ") {
				t.Errorf("the id is %q", id)
			}
		})
	}
}

// No upgrade but a WebSocket's gets through, and that on its own route only: it
// would be a tunnel past the proxy.
func TestUpgradesAreStripped(t *testing.T) {
	tests := map[string]string{
		"h2c":       "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
		"websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"two":       "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
	}
	for name, headers := range tests {
		for _, path := range []string{"/api/custom/stream", "/api/custom/message", "/chatkit"} {
			t.Run(name+", "+path, func(t *testing.T) {
				s := newUnloadedSite(t)
				b := testsite.NewTaker(t, nil)
				s.Load(testsite.Backends("chatkit /chatkit", b.URL))
				request := strings.Replace(lastStream, "/api/custom/stream", path, 1)
				request = strings.Replace(request, "Connection: close\r\n", headers, 1)
				w := s.Dial()
				w.Send(request)
				if a, ok := w.Answer(); !ok || a.Status != http.StatusOK {
					t.Errorf("got %d", a.Status)
				}
				got := b.Only(t)
				for _, name := range []string{"Upgrade", "Http2-Settings", "Connection"} {
					once(t, answer{Header: got.Header}, name, "")
				}
			})
		}
	}
}

// A backend that switches protocols where nobody has asked for it gets no
// tunnel to the client.
func TestBackendCannotSwitchProtocols(t *testing.T) {
	tests := map[string]string{
		"unasked":       "",
		"unasked, h2c":  "Connection: Upgrade\r\nUpgrade: h2c\r\n",
		"unasked, ws":   "Connection: Upgrade\r\nUpgrade: websocket\r\n",
		"unasked, bare": "Upgrade: websocket\r\n",
	}
	for name, headers := range tests {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			a := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					panic(err)
				}
				_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n" + headers + "\r\nleak"))
				_ = conn.Close()
			})
			b := testsite.NewTaker(t, nil)
			s.Load(testsite.Backends("failover any", a.URL, b.URL))
			raw := s.Raw(lastStream)
			if strings.Contains(raw, "leak") || !strings.HasPrefix(raw, "HTTP/1.1 200 ") {
				t.Fatalf("got %s", raw)
			}
			checkMoved(t, testsite.ParseAnswer(t, raw), "invalid_response")
		})
	}
}

// The path at the backend is the operator's, below the path of its address.
func TestUpstreamPaths(t *testing.T) {
	tests := []struct{ options, base, path, want string }{
		{"", "", "/api/custom/stream", "/api/chat/stream"},
		{"", "/v2/", "/api/custom/message", "/v2/api/chat"},
		{"stream /s /chat/stream", "", "/s", "/chat/stream"},
		{"message /m /deep%2Fer/x", "/base", "/m", "/base/deep%2Fer/x"},
		{"chatkit /ck", "", "/ck", "/chatkit"},
		{"chatkit /ck /support/chatkit", "/b", "/ck", "/b/support/chatkit"},
	}
	for _, tt := range tests {
		t.Run(tt.options+tt.path, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, nil)
			s.Load(testsite.Backends(tt.options, b.URL+tt.base))
			s.Post(tt.path, "{}")
			if got := b.Only(t).URL; got.EscapedPath() != tt.want {
				t.Errorf("it went to %s, want %s", got, tt.want)
			}
		})
	}
}
