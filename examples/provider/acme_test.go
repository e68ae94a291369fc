package acme_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const module = "http.handlers.chatkit.providers.acme"

func TestListModules(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), binary, "list-modules").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\n"+module+"\n") {
		t.Errorf("%s is not among the modules (error: %v):\n%s", module, err, out)
	}
}

// served is the answer with Acme's session.
var served = answer{Status: 200, Secret: "tok_1", ExpiresAt: "2100-01-01T00:00:00Z", Provider: "acme"}

// sessions answers session requests as Acme does.
func sessions(w http.ResponseWriter, r *http.Request) {
	var asked struct{ User, Model string }
	err := json.NewDecoder(r.Body).Decode(&asked)
	if err != nil || asked.User == "" || asked.Model != "acme-1" ||
		r.Header.Get("Authorization") != "Bearer "+key || r.Header.Get("X-Request-Id") != "req-1" {
		http.Error(w, "a request that Acme does not understand", http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, `{"token":"tok_1","expires":4102444800}`)
}

func TestSession(t *testing.T) {
	acme, backend := newServer(t, sessions), newBackend(t)
	s := start(t, acme, backend)
	if got := s.session(t); got != served {
		t.Errorf("got  %+v\nwant %+v", got, served)
	}
	acme.expect(t, "/sessions", 1)
	backend.expect(t, "/api/sessions", 0)
}

// What Acme answers, and what follows for two requests in a row.
func TestFailures(t *testing.T) {
	fallback := func(reason string) answer {
		return answer{Status: 200, Secret: "sess_backend", Provider: "backend", Reason: reason}
	}
	refused := answer{Status: 403, Code: "REJECTED"}
	for _, c := range []struct {
		name          string
		status        int
		header, body  string
		first, second answer
		acme, backend int // calls
	}{
		{name: "fault", status: 500, first: fallback("status_5xx"), second: fallback("status_5xx"), acme: 2, backend: 2},
		{name: "no session", status: 200, body: `{}`, first: fallback("invalid_response"), second: fallback("invalid_response"), acme: 2, backend: 2},
		{name: "not JSON", status: 200, body: `<html>`, first: fallback("invalid_response"), second: fallback("invalid_response"), acme: 2, backend: 2},
		{name: "rate limit", status: 429, header: "30", first: fallback("status_429"), second: fallback("cooldown"), acme: 1, backend: 2},
		{name: "refused caller", status: 403, first: refused, second: refused, acme: 2},
		{
			name: "suspended account", status: 403, body: `{"code":"account_suspended"}`,
			first: fallback("misconfigured"), second: fallback("misconfigured"), acme: 2, backend: 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			acme := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.header)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			backend := newBackend(t)
			s := start(t, acme, backend)
			for i, want := range []answer{c.first, c.second} {
				if got := s.session(t); got != want {
					t.Errorf("request %d: got  %+v\nwant %+v", i+1, got, want)
				}
			}
			acme.expect(t, "/sessions", c.acme)
			backend.expect(t, "/api/sessions", c.backend)
		})
	}
}

func TestDead(t *testing.T) {
	acme, backend := newServer(t, sessions), newBackend(t)
	s := start(t, acme, backend)
	acme.Close()
	want := answer{Status: 200, Secret: "sess_backend", Provider: "backend", Reason: "dial"}
	if got := s.session(t); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	backend.expect(t, "/api/sessions", 1)
}

// The second event is not sent before the client has read the first.
func TestStreamEventByEvent(t *testing.T) {
	read := make(chan struct{})
	acme := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sessions" {
			sessions(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, word := range []string{"one", "two", "three"} {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", word)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
	})
	backend := newBackend(t)
	s := start(t, acme, backend)
	resp := s.post(t, "/api/custom/stream", s.session(t).Secret)
	defer resp.Body.Close()
	if got := resp.Header.Get("X-ChatKit-Provider"); resp.StatusCode != http.StatusOK || got != "acme" {
		t.Fatalf("status %d from %q", resp.StatusCode, got)
	}
	lines := bufio.NewReader(resp.Body)
	for _, word := range []string{"one", "two", "three"} {
		line, err := lines.ReadString('\n')
		if want := "data: " + word + "\n"; err != nil || line != want {
			t.Fatalf("got %q, want %q, error: %v", line, want, err)
		}
		_, _ = lines.ReadString('\n')
		read <- struct{}{}
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("the stream ends with %q, error: %v", rest, err)
	}
	acme.expect(t, "/api/chat/stream", 1)
	backend.expect(t, "/api/chat/stream", 0)
}

func TestWebSocket(t *testing.T) {
	acme := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "hello")
		_ = conn.Close()
	})
	s := start(t, acme, newBackend(t))
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, "GET /api/ws/chat/tok_1 HTTP/1.1\r\nHost: "+s.address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	text, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 101 ") || !strings.HasSuffix(string(text), "hello") {
		t.Errorf("got %q, error: %v", text, err)
	}
	acme.expect(t, "/ws/chat/tok_1", 1)
}

// The configuration shows where the key comes from, and nothing shows the key.
func TestKeyIsNotShown(t *testing.T) {
	s := start(t, newServer(t, sessions), newBackend(t))
	s.session(t)
	resp, err := http.Get("http://" + s.admin + "/config/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	config, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	if !strings.Contains(string(config), "{env.ACME_KEY}") {
		t.Errorf("the configuration does not name the key: %s", config)
	}
	if strings.Contains(string(config), key) || strings.Contains(s.log.String(), key) {
		t.Error("the key is in the configuration or in the log")
	}
}

// An error names the option, and the line where the Caddyfile is at fault. Caddy
// logs it as JSON.
func TestBadCaddyfiles(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"url http://127.0.0.1:9\nurl http://127.0.0.1:9", `acme option \"url\" is given twice, at -:5`},
		{"colour blue", `unrecognized acme option \"colour\", at -:4`},
		{"key {env.ACME_KEY}", "providers.acme: url is missing"},
	} {
		cmd := exec.CommandContext(t.Context(), binary, "validate", "--adapter", "caddyfile", "--config", "-")
		cmd.Stdin = strings.NewReader(":0 {\nchatkit {\nprovider acme {\n" + c.lines + "\n}\n}\n}\n")
		cmd.Env = append(cmd.Environ(), "ACME_KEY="+key)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("want %q, got (error: %v)\n%s", c.want, err, out)
		}
	}
}
