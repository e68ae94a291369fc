package caddymodule_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// What became of a request can be used by other directives.
func TestPlaceholders(t *testing.T) {
	tests := []struct {
		name             string
		backend, openai  sandbox.Fault
		path, body, user string
		want             string
	}{
		{name: "session", path: "/api/custom/session", user: "alice", want: "backend||alice"},
		{name: "fallback", backend: sandbox.Hang, path: "/api/custom/session", user: "jürgen", want: "openai|timeout|jürgen"},
		{name: "rejected", backend: sandbox.Status403, path: "/api/custom/session", user: "alice", want: "backend|rejected|alice"},
		{name: "failed", backend: sandbox.Reset, openai: sandbox.Status500, path: "/api/custom/session", user: "alice", want: "none|reset|alice"},
		{name: "no user", path: "/api/custom/session", want: "none||"},
		{name: "bad request", path: "/api/custom/session", body: "[]", user: "alice", want: "none||alice"},
	}
	const block = "\n user {http.request.header.X-User}"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSiteBehind(t, `header >X-Who "{http.chatkit.provider}|{http.chatkit.reason}|{http.chatkit.user}"`, block+quick("timeout 200ms"))
			for server, fault := range map[*sandbox.Server]sandbox.Fault{s.Backend: tt.backend, s.OpenAI: tt.openai} {
				if fault != "" {
					testsite.Set(t, server, fault)
				}
			}
			a := s.Post(tt.path, tt.body, "X-User: "+tt.user)
			once(t, a, "X-Who", tt.want)
		})
	}
}

// logFormat is the site with an access log of another format.
func logFormat(s *site, block, format string) string {
	const json = "format json\n\t}\n\troute" // the second one, of the site
	return strings.Replace(s.Caddyfile(block), json, format+"\n\t}\n\troute", 1)
}

// The access log says who served, why and under which id, in Caddy's formats.
func TestAccessLog(t *testing.T) {
	tests := []struct {
		name, format     string
		present, missing []string
	}{
		{
			"json", "format json",
			[]string{`"chatkit_provider":"openai"`, `"chatkit_reason":"status_5xx"`, `"chatkit_request_id":"req-1"`, `"status":200`}, nil,
		},
		{
			"console", "format console",
			[]string{`"chatkit_provider": "openai"`, `"chatkit_reason": "status_5xx"`, `"chatkit_request_id": "req-1"`}, nil,
		},
		{
			"filter that deletes one", "format filter {\n chatkit_reason delete\n wrap json\n }",
			[]string{`"chatkit_provider":"openai"`, `"chatkit_request_id":"req-1"`}, []string{"chatkit_reason"},
		},
		{
			"filter that replaces one", "format filter {\n chatkit_request_id replace hidden\n }",
			[]string{`"chatkit_provider":"openai"`, `"chatkit_request_id":"hidden"`}, []string{`"chatkit_request_id":"req-1"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			s.LoadText(logFormat(s, visitor, tt.format))
			testsite.Set(t, s.Backend, sandbox.Status500)
			s.Post("/api/custom/session", "", "X-Request-Id: req-1")
			s.Get(s.URL + "/other")
			if got := len(s.AwaitLogged("access.log", tt.present...)); got != 1 {
				t.Errorf("%d lines have %q, want 1: %q", got, tt.present, s.Logged("access.log"))
			}
			s.AwaitLogged("access.log", "/other")
			for _, word := range tt.missing {
				if lines := s.Logged("access.log", word); len(lines) != 0 {
					t.Errorf("%s is in the log: %q", word, lines)
				}
			}
			if lines := s.Logged("access.log", "/other", "chatkit_"); len(lines) != 0 {
				t.Errorf("a request that is not claimed has our fields: %q", lines)
			}
		})
	}
}

// Every kind of answer is in the access log.
func TestAccessLogOfEveryAnswer(t *testing.T) {
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			s := c.start(t)
			c.ask(s, "X-Request-Id: req-1")
			lines := s.AwaitLogged("access.log", `"chatkit_request_id":"req-1"`)
			if len(lines) != 1 {
				t.Fatalf("got %d lines, want 1", len(lines))
			}
			var line struct {
				Status   int    `json:"status"`
				Provider string `json:"chatkit_provider"`
				Reason   string `json:"chatkit_reason"`
			}
			if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
				t.Fatal(err)
			}
			provider := c.provider
			if provider == "" {
				provider = "none"
			}
			if line.Status != c.status || line.Provider != provider || c.reason != "" && line.Reason != c.reason {
				t.Errorf("logged is %+v, want %d from %s because %q", line, c.status, provider, c.reason)
			}
		})
	}
}
