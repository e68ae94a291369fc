package sdk_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// sdkStep is what became of a call of OpenAI's SDK for Node.
type sdkStep struct {
	Session struct {
		ID           string
		Status       string
		User         string
		ClientSecret string `json:"client_secret"`
	}
	RequestID string

	Error   string // the class
	Status  int
	Type    string
	Param   string
	Code    string
	Message string
}

// node runs steps with OpenAI's SDK for Node.
func node(s *testsite.Site, key string, steps ...[2]any) []sdkStep {
	s.T.Helper()
	program := testtools.Node(s.T, "openai")
	list, err := json.Marshal(steps)
	if err != nil {
		s.T.Fatal(err)
	}
	out := testtools.Output(s.T, "", program, "testdata/openai/sdk.cjs", s.URL+"/v1", key, string(list))
	var got []sdkStep
	for line := range strings.Lines(out) {
		var step sdkStep
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			s.T.Fatalf("%v: %s", err, line)
		}
		got = append(got, step)
	}
	if len(got) != len(steps) {
		s.T.Fatalf("got %d steps, want %d", len(got), len(steps))
	}
	return got
}

var nodeOrder = map[string]any{"user": "alice", "workflow": map[string]any{"id": "wf_app"}}

// OpenAI's SDK for Node creates and cancels, with and without a dead backend.
func TestNodeSDK(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault sandbox.Fault
		calls int // of OpenAI
	}{{"backend serves", sandbox.None, 0}, {"backend is dead", sandbox.Refuse, 2}} {
		t.Run(tt.name, func(t *testing.T) {
			s := testsite.New(t, behindSDK(""))
			testsite.Set(t, s.Backend, tt.fault)
			made := node(s, appKey, [2]any{"create", nodeOrder})[0]
			if made.Error != "" || made.Session.Status != "active" || made.Session.User != "alice" || made.Session.ClientSecret == "" || made.RequestID == "" {
				t.Fatalf("got %+v", made)
			}
			ended := node(s, appKey, [2]any{"cancel", made.Session.ID})[0]
			if ended.Error != "" || ended.Session.Status != "cancelled" || ended.Session.ID != made.Session.ID || ended.RequestID == "" {
				t.Errorf("got %+v", ended)
			}
			if s.OpenAI.Calls() != tt.calls {
				t.Errorf("OpenAI was asked %d times", s.OpenAI.Calls())
			}
		})
	}
}

// Errors become the SDK's own classes.
func TestNodeSDKErrors(t *testing.T) {
	create := [2]any{"create", nodeOrder}
	tests := []struct {
		name, options, key string
		fault              sandbox.Fault
		step               [2]any
		want               string // class, type and code
		status             int
	}{
		{"wrong key", "", "sk-wrong", "", create, "AuthenticationError invalid_request_error invalid_api_key", 401},
		{"no user", "", appKey, "", [2]any{"create", map[string]any{}}, "BadRequestError invalid_request_error bad_request", 400},
		{"unknown session", "", appKey, "", [2]any{"cancel", "cksess_none"}, "NotFoundError invalid_request_error rejected", 404},
		{"everybody dead", "", appKey, sandbox.Refuse, create, "InternalServerError server_error session_error", 502},
		{"too many", "rate_limit user 1 1h", appKey, "", create, "RateLimitError rate_limit_error rate_limited", 429},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testsite.New(t, behindSDK(tt.options))
			if tt.fault != "" {
				testsite.Set(t, s.Backend, tt.fault)
				testsite.Set(t, s.OpenAI, tt.fault)
			}
			steps := [][2]any{tt.step}
			if tt.options != "" { // the second one is too many
				steps = append(steps, tt.step)
			}
			all := node(s, tt.key, steps...)
			got := all[len(all)-1]
			if class := got.Error + " " + got.Type + " " + got.Code; class != tt.want || got.Status != tt.status || got.Message == "" || got.RequestID == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}
