package examples_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// caddyfiles are all that are shipped, by where they stand: the reference, the
// examples, and those of the README, the reference of the options and Sendbird's
// guide.
func caddyfiles(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"reference": readFile(t, "../Caddyfile")}
	for _, name := range directories(t) {
		all[name] = read(t, name)
	}
	for _, page := range []string{"README.md", "docs/reference/caddyfile.md", "docs/guides/sendbird.md"} {
		snippets := shipped.Snippets(t, page, "caddyfile")
		if len(snippets) == 0 {
			t.Errorf("%s has no Caddyfile", page)
		}
		for _, s := range snippets {
			all[s.String()] = s.Text
		}
	}
	return all
}

// rules hold every Caddyfile: one that has the line has to have the other, which may
// be a comment where the line is one.
var rules = []struct{ name, line, needs string }{
	{"visitors are limited by address", `(?m)^\s*anonymous\b`, `(?m)^\s*rate_limit ip\b`},
	{"addresses are not the client's choice", `(?m)^[\s#]*trusted_proxies\b`, `(?m)^[\s#]*trusted_proxies_strict\b`},
	{"a user's header is deleted first", `(?m)^\s*user \{http\.request\.header\.X-User\}`, `(?m)^\s*request_header -X-User$`},
	{"the access log has no tokens", `(?m)^\tlog\b`, `(?m)^\t\tformat filter\b`},
	{"the log has no forwarded tokens", `(?m)^[^#]*\blog\b[\s\S]*forward_headers X-Auth-Token`, `request>headers>X-Auth-Token delete`},
	{"keys come from the environment", `(?m)^\s*(key|api_token) \S`, `(?m)^\s*(key|api_token) \{env\.`},
	{"credentials need an allowlist", `(?m)^\s*forward_headers .*\b(Cookie|Authorization)\b`, `(?m)^\s*origins `},
}

// Every Caddyfile is safe as it stands.
func TestCaddyfilesAreSafe(t *testing.T) {
	all := caddyfiles(t)
	all["provider"] = read(t, "provider")
	for name, text := range all {
		t.Run(name, func(t *testing.T) {
			for _, r := range rules {
				if regexp.MustCompile(r.line).MatchString(text) && !regexp.MustCompile(r.needs).MatchString(text) {
					t.Errorf("%s: it has %s, and not %s", r.name, r.line, r.needs)
				}
			}
			if file := !strings.Contains(name, ".md:"); file && !regexp.MustCompile(`timeouts \{\s+read_header \w+\s+read_body \w+\s`).MatchString(text) {
				t.Error("it has no time limits for slow clients")
			}
		})
	}
}

// Every Caddyfile is one that serves a session.
func TestCaddyfilesServe(t *testing.T) {
	for name, text := range caddyfiles(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			setEnv(t, regexp.MustCompile(`\{env\.(CUSTOM|OPENAI_API|CHATKIT|SENDBIRD|REDIS|FLEET)\w+\}`).ReplaceAllString(text, ""))
			for _, variable := range []string{"EU", "US", "SALES"} {
				t.Setenv("CUSTOM_BACKEND_URL_"+variable, s.Backend.URL())
				t.Setenv("CUSTOM_BACKEND_KEY_"+variable, testsite.BackendKey)
			}
			t.Setenv("CHATKIT_WORKFLOW_ID_RESEARCH", "wf_research")
			t.Setenv("CHATKIT_WORKFLOW_ID_LARGE", "wf_large")
			t.Setenv("SITE_ADDRESS", s.URL)
			t.Setenv("PAGE_ORIGIN", "https://app.example.com")
			t.Setenv("APP_ADDRESS", strings.TrimPrefix(s.App.URL, "http://"))
			s.serveText(text)
			a := s.Session("Cookie: login=alice")
			if name == "openai-sdk" {
				a = s.Post("/v1/chatkit/sessions", `{"user":"alice","workflow":{"id":"wf_example"}}`, "Authorization: Bearer "+appKey)
			}
			if a.Status != http.StatusOK || a.Secret() == "" {
				t.Errorf("got %d %s, want a session", a.Status, a.Raw)
			}
		})
	}
}

// serveReference loads the reference.
func serveReference(t *testing.T, change func(string) string) *site {
	t.Helper()
	s := newSite(t)
	t.Setenv("SITE_ADDRESS", s.URL)
	t.Setenv("PAGE_ORIGIN", "https://app.example.com")
	t.Setenv("APP_ADDRESS", strings.TrimPrefix(s.App.URL, "http://"))
	s.serveText(change(readFile(t, "../Caddyfile")))
	return s
}

// Pages of the named origin and of the site itself may use the reference, with
// credentials, others not; and nobody without end.
func TestReferenceKeepsOthersOut(t *testing.T) {
	s := serveReference(t, func(text string) string { return text })
	for origin, want := range map[string]string{
		"": "200 backend", "https://app.example.com": "200 backend", s.URL: "200 backend", "https://evil.example": "403",
	} {
		s.Session("Origin: "+origin, "Cookie: login=alice").Is(t, want)
	}
	s.Do(http.MethodGet, "/pricing", "").Is(t, "418")
	checkWait(t, untilRefused(t, 50, func(int) testsite.Answer { return s.Session() }))
}

// What identifies somebody is not in the log of the reference, of requests to chatkit
// and of others.
func TestReferenceLogsNoTokens(t *testing.T) {
	s := serveReference(t, func(text string) string { return text })
	headers := []string{
		"Authorization: Bearer planted-1", "Cookie: app=planted-2", "X-Auth-Token: planted-3",
		"Sec-WebSocket-Protocol: planted-4",
	}
	s.Post("/api/custom/session?token=planted-5", "{}", append(headers, "X-Request-Id: id-of-session")...).Is(t, "200 backend")
	s.Post("/api/custom/stream?token=planted-6", "{}", append(headers, "X-Request-Id: id-of-stream")...)
	s.Do(http.MethodGet, "/api/ws/chat/planted-7?token=planted-8", "", append(headers, "X-Request-Id: id-of-socket", "Connection: Upgrade",
		"Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")...)
	s.Do(http.MethodGet, "/pricing?token=planted-9", "", append(headers, "X-Request-Id: id-of-page")...)
	for _, id := range []string{"id-of-session", "id-of-stream", "id-of-socket", "id-of-page"} {
		line := s.AwaitLogged("caddy.log", id)[0]
		if !strings.Contains(line, "REDACTED") || !strings.Contains(line, `"status":`) {
			t.Errorf("%s: got %s", id, line)
		}
	}
	issued := s.Backend.Issued()
	for _, secret := range append(issued, "planted-") {
		if lines := s.Logged("caddy.log", secret); len(lines) > 0 {
			t.Errorf("the log has %q: %s", secret, lines)
		}
	}
	if len(issued) != 1 {
		t.Errorf("%d sessions were issued, want one", len(issued))
	}
}

// The time limits of the reference end what a slow client sends, and no answer.
func TestReferenceTimeouts(t *testing.T) {
	const limit = 300 * time.Millisecond
	backend := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 4 {
			_, _ = w.Write([]byte("data: event\n\n"))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(limit / 2)
		}
	})
	s := serveReference(t, func(text string) string {
		t.Setenv("CUSTOM_BACKEND_URL", backend)
		return regexp.MustCompile(`read_(header|body) \w+`).ReplaceAllString(text, "read_$1 "+limit.String())
	})
	if a := s.Stream(); a.Status != http.StatusOK || strings.Count(a.Raw, "data: event\n\n") != 4 {
		t.Errorf("got %d %q, want four events", a.Status, a.Raw)
	}
	slow := s.Dial()
	slow.Send("POST /api/custom/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
	start := time.Now()
	if a, ok := slow.Answer(); ok && a.Status == http.StatusOK || time.Since(start) > 5*time.Second {
		t.Errorf("a slow client got %d after %s", a.Status, time.Since(start))
	}
}
