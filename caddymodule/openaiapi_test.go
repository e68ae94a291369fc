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
	good := `{"user":"u","workflow":{"id":"wf_test"}}`
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
		{"two users", "POST", path, `{"user":"alice","User":"bob"}`, []string{auth}, 400, "User"},
		{"user twice", "POST", path, `{"user":"alice","user":"bob"}`, []string{auth}, 400, nil},
		{"blank user", "POST", path, `{"user":"  "}`, []string{auth}, 400, "user"},
		{"user is not UTF-8", "POST", path, "{\"user\":\"a\xff\"}", []string{auth}, 400, nil},
		{"lone surrogate", "POST", path, `{"user":"u","metadata":{"a":"\ud800"}}`, []string{auth}, 400, nil},
		{"user is a visitor", "POST", path, `{"user":"anon-` + visitorID + `"}`, []string{auth}, 400, "user"},
		{"another workflow", "POST", path, `{"user":"u","workflow":{"id":"wf_1"}}`, []string{auth}, 400, "workflow.id"},
		{"version that breaks chats", "POST", path, `{"user":"u","workflow":{"id":"wf_test","version":"latest"}}`, []string{auth}, 400, "workflow.version"},
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

// The user is one everywhere: for the limit, the placeholder, the provider and the
// answer. What the operator has set cannot be exceeded.
func TestOpenAIRouteForwards(t *testing.T) {
	const auth = "Authorization: Bearer " + appKey
	block := strings.Replace(behindSDK(), "workflow wf_test", "workflow wf_test\n expires_after 1m\n rate_limit 5", 1)
	s := newSiteBehind(t, `header >X-Who "{http.chatkit.user}"`, "\n rate_limit user 2 1h"+block)
	testsite.Set(t, s.Backend, "refuse")
	for i, user := range []string{"alice", " alice\\n", "alice"} {
		a := s.Post("/v1/chatkit/sessions", `{"user":"`+user+`","expires_after":{"anchor":"created_at","seconds":600},
			"rate_limits":{"max_requests_per_1_minute":100000}}`, auth)
		if i == 2 {
			if a.Status != http.StatusTooManyRequests || s.OpenAI.Calls() != 2 {
				t.Errorf("got %d, OpenAI was asked %d times", a.Status, s.OpenAI.Calls())
			}
			return
		}
		const want = `{"expires_after":{"anchor":"created_at","seconds":60},"rate_limits":{"max_requests_per_1_minute":5},` +
			`"user":"alice","workflow":{"id":"wf_test"}}`
		if got := string(s.OpenAI.Requests()[i].Body); a.Status != http.StatusOK || got != want || a.Body["user"] != "alice" || a.Header.Get("X-Who") != "alice" {
			t.Errorf("got %d for %q: %s\nsent %s", a.Status, a.Header.Get("X-Who"), a.Raw, got)
		}
	}
}

// A workflow goes to the provider that has it, and is refused where none has.
func TestOpenAIRouteOfTwoProjects(t *testing.T) {
	const second = "\n provider openai {\n name second\n base_url {env.TEST_OPENAI_URL}/v1\n key {env.TEST_OPENAI_KEY}\n workflow wf_second\n }"
	s := newSite(t, behindSDK()+second)
	testsite.Set(t, s.Backend, "refuse")
	for workflow, want := range map[string]int{"wf_test": 200, "wf_second": 200, "wf_third": 400} {
		s.OpenAI.Clear()
		a := s.Post("/v1/chatkit/sessions", `{"user":"u","workflow":{"id":"`+workflow+`"}}`, "Authorization: Bearer "+appKey)
		if a.Status != want || s.OpenAI.Calls() != want%400/200 {
			t.Errorf("%s: got %d %s, OpenAI was asked %d times", workflow, a.Status, a.Raw, s.OpenAI.Calls())
		}
		if asked := s.OpenAI.Requests(); want == 200 && !strings.Contains(string(asked[0].Body), `"id":"`+workflow+`"`) {
			t.Errorf("%s: sent %s", workflow, asked[0].Body)
		}
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
	got := s.Post("/v1/chatkit/sessions", `{"user":"u","workflow":{"id":"wf_test"}}`, "Authorization: Bearer "+appKey)
	if got.Status != http.StatusOK || s.Backend.Calls() != 1 {
		t.Errorf("got %d %s, the backend was asked %d times", got.Status, got.Raw, s.Backend.Calls())
	}
	before, _, _ := strings.Cut(behindSDK(), "provider backend")
	if err := s.TryLoad(before + "provider sendbird {\n app_id A\n api_token t\n }"); err == nil || !strings.Contains(err.Error(), "none of its providers makes sessions for ChatKit") {
		t.Errorf("got %v", err)
	}
}
