package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// appKey is what an app shows on the openai_api route.
const appKey = "planted-app-key-51c0"

// behindSDK is a block for apps that use an SDK of OpenAI's.
func behindSDK() string {
	return strings.Replace(testsite.TwoProviders, "anonymous", "openai_api /v1 {\n key "+appKey+"\n }", 1)
}

// What a request without an SDK can do wrong. Nobody upstream is asked.
func TestOpenAIRouteRefusals(t *testing.T) {
	const auth, path = "Authorization: Bearer " + appKey, "/v1/chatkit/sessions"
	good := `{"user":"u","workflow":{"id":"wf_1"}}`
	tests := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		param                    any
	}{
		{"no credentials", "POST", path, good, nil, 401, nil},
		{"another scheme", "POST", path, good, []string{"Authorization: Basic " + appKey}, 401, nil},
		{"the key and more", "POST", path, good, []string{auth + "x"}, 401, nil},
		{"GET", "GET", path, "", []string{auth}, 405, nil},
		{"GET of a cancellation", "GET", path + "/cksess_1/cancel", "", []string{auth}, 405, nil},
		{"empty", "POST", path, "", []string{auth}, 400, nil},
		{"null", "POST", path, "null", []string{auth}, 400, nil},
		{"list", "POST", path, "[]", []string{auth}, 400, nil},
		{"cut", "POST", path, good[:10], []string{auth}, 400, nil},
		{"user is a number", "POST", path, `{"user":7}`, []string{auth}, 400, "user"},
		{"user is null", "POST", path, `{"user":null,"workflow":{"id":"w"}}`, []string{auth}, 400, "user"},
		{"workflow is text", "POST", path, `{"user":"u","workflow":"wf_1"}`, []string{auth}, 400, "workflow"},
		{"form", "POST", path, "user=u", []string{auth, "Content-Type: application/x-www-form-urlencoded"}, 415, nil},
		{"too large", "POST", path, `{"user":"` + strings.Repeat("x", 70_000) + `"}`, []string{auth}, 413, nil},
	}
	s := newSite(t, behindSDK())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.Do(tt.method, tt.path, tt.body, tt.headers...)
			e, _ := got.Body["error"].(map[string]any)
			if got.Status != tt.status || e == nil || e["message"] == "" || e["type"] != "invalid_request_error" || e["param"] != tt.param {
				t.Errorf("got %d %s", got.Status, got.Raw)
			}
		})
	}
	if s.Backend.Calls()+s.OpenAI.Calls() > 0 {
		t.Error("somebody upstream was asked")
	}
}

// Only the two paths are claimed, and only where the route is named.
func TestOpenAIRouteClaims(t *testing.T) {
	s := newSite(t, behindSDK())
	for _, path := range []string{
		"/v1", "/v1/chatkit", "/v1/chatkit/sessions/", "/v1/chatkit/sessions/cksess_1", "/v1/chatkit/sessions//cancel",
		"/v1/chatkit/sessions/a/b/cancel", "/v1/chatkit/sessions/../cancel", "/v1/chatkit/sessions/a%2Fb/cancel", "/v1/chatkit/threads",
	} {
		if got := s.Post(path, "{}"); got.Status != http.StatusTeapot {
			t.Errorf("%s: got %d", path, got.Status)
		}
	}
	s.Load(visitor)
	s.persistent()
	if got := s.Post("/v1/chatkit/sessions", "{}"); got.Status != http.StatusTeapot {
		t.Errorf("not named: got %d", got.Status)
	}
}

// Sendbird's tokens are of no use to an app that asks for a ChatKit session.
func TestOpenAIRouteWithoutSendbird(t *testing.T) {
	s := newUnloadedSite(t)
	block := "\n provider sendbird {\n host http://" + testsite.FreeAddr(t) + "\n app_id A\n api_token t\n }" + behindSDK()
	s.Load(block)
	got := s.Post("/v1/chatkit/sessions", `{"user":"u","workflow":{"id":"wf_app"}}`, "Authorization: Bearer "+appKey)
	if got.Status != http.StatusOK || s.Backend.Calls() != 1 {
		t.Errorf("got %d %s, the backend was asked %d times", got.Status, got.Raw, s.Backend.Calls())
	}
	before, _, _ := strings.Cut(behindSDK(), "provider backend")
	if err := s.TryLoad(before + "provider sendbird {\n app_id A\n api_token t\n }"); err == nil || !strings.Contains(err.Error(), "none of its providers makes sessions for ChatKit") {
		t.Errorf("got %v", err)
	}
}
