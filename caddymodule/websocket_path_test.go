package caddymodule_test

import (
	"net/http"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// What stands for {session} reaches the backend as the one segment it was.
func TestWebSocketPath(t *testing.T) {
	tests := []struct{ options, path, want string }{
		{"", "/api/ws/chat/abc", "/ws/chat/abc"},
		{"", "/api/ws/chat/abc?token=a%20b", "/ws/chat/abc?token=a%20b"},
		{"", "/api/ws/chat/a%20b%25c%3Fd", "/ws/chat/a%20b%25c%3Fd"},
		{"", "/api/ws/chat/%C3%A9", "/ws/chat/%C3%A9"},
		{"", "/api/ws/chat/a:b@c=d+e&f", "/ws/chat/a:b@c=d+e&f"},
		{"", "/api/ws/chat/c2Vz%3D%3D", "/ws/chat/c2Vz=="},
		{"", "/api/ws/chat/a%3Ab%40c%3Dd%2Be%26f", "/ws/chat/a:b@c=d+e&f"},
		{"", "/api/ws/chat/%61bc", "/ws/chat/abc"},
		{"", "/%61pi/ws/chat/abc", "/ws/chat/abc"},
		{"", "/api/ws/chat/a%252Fb", "/ws/chat/a%252Fb"},
		{"", "/api/ws/chat/%252e%252e", "/ws/chat/%252e%252e"},
		{"", "/api/ws/chat/a%3Fb%23c%25d", "/ws/chat/a%3Fb%23c%25d"},
		{"", "/api/ws/chat/..%5C..", "/ws/chat/..%5C.."},
		{"", "/api/ws/chat/%7Bsession%7D", "/ws/chat/%7Bsession%7D"},
		{"", "/api/ws/chat/...", "/ws/chat/..."},
		{"websocket /ws/{session} /v1/{session}/events", "/ws/x%20y", "/v1/x%20y/events"},
		{"websocket /ws/{session} /all", "/ws/x", "/all"},
		{"websocket /socket /ws", "/socket", "/ws"},
		{"websocket /socket", "/socket", "/ws/chat/"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, echoSocket)
			s.Load(testsite.Backends(tt.options, b.URL))
			if _, resp := s.upgrade(tt.path); resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %s", resp.Status)
			}
			if got := b.Only(t).RequestURI; got != tt.want {
				t.Errorf("it went to %s, want %s", got, tt.want)
			}
		})
	}
}

// A session that would lead somewhere else on the backend is none.
func TestWebSocketPathStaysBelowItsPrefix(t *testing.T) {
	for path, status := range map[string]int{
		"/api/ws/chat/..": 400, "/api/ws/chat/.": 400,
		"/api/ws/chat/%2e%2e": 400, "/api/ws/chat/.%2E": 400, "/api/ws/chat/%2e": 400,
		"/api/ws/chat/a%00": 418, "/api/ws/chat/%3D%00": 418, "/api/ws/chat/a%2fb": 418, "/api/ws/chat/a%3D%2Fb": 418, "/api/ws/chat/": 418, "/api/ws/chat": 418, "/api/ws/chat/a/b": 418,
		"/api/ws/chat/a%2Fb": 418, "/api/ws/chat/..%2F..%2Fadmin": 418, "/api/ws/chat/../../x": 418,
	} {
		t.Run(path, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, echoSocket)
			s.Load(testsite.Backends("", b.URL))
			if _, resp := s.upgrade(path); resp.StatusCode != status || len(b.Received()) > 0 {
				t.Errorf("got %s, want %d, and the backend was asked %d times", resp.Status, status, len(b.Received()))
			}
		})
	}
}

// A WebSocket that cannot be opened moves on like a stream, and the answer of a
// backend that does not want it is passed on.
func TestWebSocketFailover(t *testing.T) {
	tests := []struct {
		name     string
		backend  http.HandlerFunc
		status   int
		provider string
		reason   string
	}{
		{"503", plainly(503), 101, "b", "status_5xx"},
		{"leaky 503", leaky(503), 101, "b", "status_5xx"},
		{"401", plainly(401), 401, "a", ""},
		{"404", plainly(404), 404, "a", ""},
		{"no switch", plainly(200), 200, "a", ""},
		{"500", plainly(500), 500, "a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, testsite.Backends("", testsite.OwnBackend(t, tt.backend), testsite.OwnBackend(t, echoSocket)))
			_, resp := s.upgrade(lastSocket)
			a := answer{Header: resp.Header}
			once(t, a, "X-ChatKit-Provider", tt.provider)
			once(t, a, "X-ChatKit-Fallback-Reason", tt.reason)
			once(t, a, "Access-Control-Allow-Origin", "*")
			once(t, a, "Set-Cookie", "")
			if resp.StatusCode != tt.status {
				t.Errorf("got %s, want %d", resp.Status, tt.status)
			}
			s.Await(inFlightSocket, map[bool]float64{true: 1}[tt.status == 101])
		})
	}
}

// A session is found by its decoded id, so its WebSocket goes to its issuer however
// a front end writes the id.
func TestWebSocketOfAnEncodedSession(t *testing.T) {
	s := newUnloadedSite(t)
	failed := false
	a := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/sessions" && !failed {
			failed = true
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		echoSocket(w, r)
	})
	b := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/sessions" {
			_, _ = w.Write([]byte(`{"session_id":"c2Vz:1+a@b=="}`))
			return
		}
		echoSocket(w, r)
	})
	s.Load(testsite.Backends("", a, b.URL))
	if got := s.Session(); got.Secret() != "c2Vz:1+a@b==" || got.Provider() != "b" {
		t.Fatalf("got %s", got.Raw)
	}
	for i, id := range []string{"c2Vz%3A1%2Ba%40b%3D%3D", "c2Vz:1+a@b==", "%632Vz:1+a@b=%3D"} {
		w, resp := s.upgrade("/api/ws/chat/" + id)
		c := socket{w}
		once(t, answer{Header: resp.Header}, "X-ChatKit-Provider", "b")
		c.say(frame{fin | opText, "hi"})
		c.hear(frame{fin | opText, "hi"})
		if got := b.Received()[i+1].URL.Path; got != "/ws/chat/c2Vz:1+a@b==" {
			t.Errorf("the backend got %s", got)
		}
	}
}
