package sandbox_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestOpenAIHeaders(t *testing.T) {
	cases := []struct {
		name, key, header, value string
		status                   int
		code                     string
	}{
		{"all", testKey, "Accept", "*/*", 200, ""},
		{"beta among others", testKey, "OpenAI-Beta", "assistants=v2, chatkit_beta=v1", 200, ""},
		{"no beta", testKey, "OpenAI-Beta", "", 400, "invalid_beta"},
		{"other beta", testKey, "OpenAI-Beta", "chatkit_beta=v2", 400, "invalid_beta"},
		{"no key", testKey, "Authorization", "", 401, ""},
		{"no key, any will do", "", "Authorization", "", 401, ""},
		{"any key", "", "Authorization", "Bearer sk-other", 200, ""},
		{"wrong key", testKey, "Authorization", "Bearer sk-other", 401, "invalid_api_key"},
		{"charset", testKey, "Content-Type", "application/json; charset=utf-8", 200, ""},
		{"no content type", testKey, "Content-Type", "", 400, ""},
		{"text", testKey, "Content-Type", "text/plain", 400, ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s, c := kinds[1].run(t, sandbox.Options{Key: tc.key}), newClient(t)
			r := newRequest(t.Context(), t, s.URL()+openAIPath, openAIBody)
			r.Header.Set(tc.header, tc.value)
			if tc.value == "" {
				r.Header.Del(tc.header)
			}
			got := do(c, r)
			if got.status != tc.status || !strings.HasPrefix(got.header.Get("X-Request-Id"), "req_") {
				t.Fatalf("got %d %s %v, want %d", got.status, got.body, got.header, tc.status)
			}
			e, _ := got.object(t)["error"].(map[string]any)
			if text(e["code"]) != tc.code {
				t.Errorf("got %s, want code %q", got.body, tc.code)
			}
		})
	}
}

func TestOpenAIWorkflows(t *testing.T) {
	s, c := kinds[1].run(t, sandbox.Options{Workflows: []string{"wf_a", "b"}}), newClient(t)
	for id, want := range map[string]int{"wf_a": 200, "b": 200, "wf_b": 404} {
		got := do(c, newRequest(t.Context(), t, s.URL()+openAIPath, `{"user":"u","workflow":{"id":"`+id+`"}}`))
		if got.status != want {
			t.Errorf("%s: %d %s, want %d", id, got.status, got.body, want)
		}
	}
}
