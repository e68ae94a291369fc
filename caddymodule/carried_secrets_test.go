package caddymodule_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// filtered is Caddyfile with the filter of the reference in front of the access log.
func (s *site) filtered(block string) string {
	s.T.Helper()
	text := s.Caddyfile(block)
	at := strings.LastIndex(text, "format json")
	return text[:at] + referenceFilter(s.T) + text[at+len("format json"):]
}

// referenceFilter is the format of the log of the reference Caddyfile.
func referenceFilter(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?s)format filter \{.*?\n\t\t\}\n`).FindString(string(b))
	if text == "" {
		t.Fatal("the reference has no filter for its log")
	}
	return text
}

// plants are what identifies somebody, wherever a client can put it.
var plants = []string{
	"Authorization: Bearer planted-bearer", "Cookie: app=planted-cookie", "X-Auth-Token: planted-token",
	"Sec-WebSocket-Protocol: chat, planted-protocol",
}

// plantedPath is the path of a WebSocket, with a session in it.
const plantedPath = "/api/ws/chat/planted-session"

// ways in which a backend ends what it has begun, or does not begin it.
var endings = map[string]http.HandlerFunc{
	"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	"failed":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"cut at once": func(w http.ResponseWriter, _ *http.Request) {
		hijack(w, "")
	},
	"stream cut": func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			hijack(w, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: planted-protocol\r\n\r\n")
			return
		}
		hijack(w, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie: app=planted-answer\r\n"+
			"Transfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n")
	},
	"body cut": func(w http.ResponseWriter, _ *http.Request) {
		hijack(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	},
}

// hijack answers with text and closes the connection.
func hijack(w http.ResponseWriter, text string) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = rw.WriteString(text)
	_ = rw.Flush()
	_ = conn.Close()
}

// sendPlants sends a request of each kind with everything planted. How it ends does
// not matter.
func sendPlants(s *site, visitor string) {
	s.T.Helper()
	headers := append([]string{visitor}, plants...)
	for i, path := range []string{"/api/custom/session", "/api/chatkit/refresh", "/api/custom/message", "/api/custom/stream", "/chatkit", plantedPath} {
		text := fmt.Sprintf("POST %s?key=planted-query HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\nX-Request-Id: plant-%d\r\nContent-Length: 2\r\n\r\n{}",
			path, strings.Join(headers, "\r\n"), i)
		if path == plantedPath {
			text = strings.NewReplacer("POST", "GET", "Content-Length: 2\r\n\r\n{}", strings.Join(upgrade, "\r\n")+"\r\n\r\n").Replace(text)
		}
		w := s.Dial()
		w.Send(text)
		if resp, err := http.ReadResponse(bufio.NewReader(w), nil); err == nil {
			_ = resp.Body.Close()
		}
		_ = w.Close()
		s.AwaitLogged("access.log", fmt.Sprintf("plant-%d", i))
	}
}

// What a client's request carries is in no line of the log about it, whatever becomes
// of the request, and with the filter of the reference in no line of the access log.
func TestSecretsOfRequestsStayInside(t *testing.T) {
	for _, level := range []string{"INFO", "DEBUG"} {
		for name, end := range endings {
			t.Run(level+" "+name, func(t *testing.T) {
				s := newUnloadedSite(t)
				block := testsite.Backends("chatkit /chatkit", testsite.OwnBackend(t, end)+"\n forward_headers X-Auth-Token") +
					"\n provider openai {\n base_url {env.TEST_OPENAI_URL}/v1\n key {env.TEST_OPENAI_KEY}\n workflow wf_test\n }"
				s.LoadText(strings.Replace(s.filtered(block), "level DEBUG", "level "+level, 1))

				visitor, _, _ := strings.Cut(s.Session().Header.Get("Set-Cookie"), ";")
				_, value, _ := strings.Cut(visitor, "=")
				if value == "" {
					t.Fatal("there is no cookie for visitors")
				}
				sendPlants(s, "Cookie: "+visitor)
				if lines := s.Logged("access.log"); len(lines) < 6 {
					t.Fatalf("the access log has %d lines", len(lines))
				}
				secrets := append(s.OpenAI.Issued(), value, "planted-")
				checkClean(s, "access.log", secrets)
				checkClean(s, "caddy.log", secrets)
			})
		}
	}
}

// checkClean checks that a log has none of the secrets.
func checkClean(s *site, file string, secrets []string) {
	s.T.Helper()
	for _, secret := range secrets {
		if lines := s.Logged(file, secret); len(lines) > 0 {
			s.T.Errorf("%s has %q: %s", file, secret, lines[0])
		}
	}
}
