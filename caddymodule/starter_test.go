package caddymodule_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// starterBodies are what the versions of OpenAI's starter app send to their own
// session route.
var starterBodies = map[string]string{
	"Next.js": `{"workflow":{"id":"wf_68e"},"chatkit_configuration":{"file_upload":{"enabled":true}}}`,
	"older":   `{"workflowId":"wf_68e","scope":{"user_id":"somebody else"}}`,
	"managed": `{"workflow":{"id":"wf_68e"}}`,
	"empty":   "",
}

// The route takes the place of the starter app's: its bodies, its cookie, its
// answer. The front end has no say in who it is or in the workflow.
func TestStarterApp(t *testing.T) {
	for name, body := range starterBodies {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "\n anonymous"+openaiOnly)
			got := s.Post("/api/create-session", body, "Content-Type: application/json")
			if secret, _ := got.Body["client_secret"].(string); got.Status != http.StatusOK || secret == "" {
				t.Fatalf("got %d %s", got.Status, got.Raw)
			}
			cookie := got.Header.Get("Set-Cookie")
			want := regexp.MustCompile(`^chatkit_session_id=(([0-9a-f-]{36})\.[A-Za-z0-9_-]{43}); Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax$`)
			m := want.FindStringSubmatch(cookie)
			if m == nil {
				t.Fatalf("the cookie is %q", cookie)
			}
			sent := string(s.OpenAI.Requests()[0].Body)
			if !strings.Contains(sent, `"user":"anon-`+m[2]+`"`) || !strings.Contains(sent, `"id":"wf_test"`) || strings.Contains(sent, "file_upload") {
				t.Errorf("sent %s", sent)
			}
			// The visitor comes back and is the same one, and gets no other cookie.
			again := s.Post("/api/create-session", body, "Cookie: chatkit_session_id="+m[1])
			if again.Status != http.StatusOK || again.Header.Get("Set-Cookie") != "" || !strings.Contains(string(s.OpenAI.Requests()[1].Body), m[2]) {
				t.Errorf("got %d, cookie %q", again.Status, again.Header.Get("Set-Cookie"))
			}
		})
	}
}

// Its errors: text in "error", the cookie with them, and the statuses that do
// not contradict the contract.
func TestStarterAppErrors(t *testing.T) {
	tests := []struct {
		name, method string
		fault        sandbox.Fault
		status       int
		cookie       bool
	}{
		{"GET", http.MethodGet, sandbox.None, 405, false},
		{"unreachable", http.MethodPost, sandbox.Refuse, 502, true},
		{"no secret in the answer", http.MethodPost, sandbox.EmptySecret, 502, true},
		{"refused by OpenAI", http.MethodPost, sandbox.Status403, 403, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, "\n anonymous"+openaiOnly)
			testsite.Set(t, s.OpenAI, tt.fault)
			got := s.Do(tt.method, "/api/create-session", "")
			text, ok := got.Body["error"].(string)
			if got.Status != tt.status || !ok || text == "" || (got.Header.Get("Set-Cookie") != "") != tt.cookie {
				t.Errorf("got %d %s, cookie %q", got.Status, got.Raw, got.Header.Get("Set-Cookie"))
			}
			if tt.method == http.MethodGet && text != "Method Not Allowed" {
				t.Errorf("got %q", text)
			}
		})
	}
}

// Files, where the operator lets the chat take them.
func TestFileUpload(t *testing.T) {
	s := newSite(t, strings.Replace("\n anonymous"+openaiOnly, "workflow wf_test", "workflow wf_test\n file_upload", 1))
	s.Post("/api/create-session", starterBodies["managed"])
	if sent := string(s.OpenAI.Requests()[0].Body); !strings.Contains(sent, `"chatkit_configuration":{"file_upload":{"enabled":true}}`) {
		t.Errorf("sent %s", sent)
	}
}
