package sdk_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// appKey is what an app shows on the openai_api route.
const appKey = "key-of-the-app"

// behindSDK is a block for apps that use an SDK of OpenAI's, which name a workflow.
func behindSDK(options string) string {
	return strings.NewReplacer(
		"anonymous", "openai_api /v1 {\n key "+appKey+"\n }\n "+options,
		"workflow wf_test", "workflow wf_test\n workflow large wf_app",
	).Replace(testsite.TwoProviders)
}

// sdk is OpenAI's own client for Go, pointed at the site.
func sdk(s *testsite.Site, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(s.URL+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0),
		option.WithHTTPClient(s.Client))
}

// order is a request with everything an app can say.
func order(user string) openai.BetaChatKitSessionNewParams {
	var p openai.BetaChatKitSessionNewParams
	raw := `{"user":"` + user + `","workflow":{"id":"wf_app","version":"7","state_variables":{"plan":"pro"},"tracing":{"enabled":false}},
		"expires_after":{"anchor":"created_at","seconds":60},"rate_limits":{"max_requests_per_1_minute":5},
		"chatkit_configuration":{"file_upload":{"enabled":true,"max_files":3}}}`
	if err := json.Unmarshal([]byte(raw), &p); err != nil {
		panic(err)
	}
	return p
}

// The backend is dead: OpenAI's session comes back as it is, the app's request
// has arrived there as it was, and it can be canceled there.
func TestSDKWithADeadBackend(t *testing.T) {
	s := testsite.New(t, behindSDK(""))
	testsite.Set(t, s.Backend, sandbox.Refuse)
	client := sdk(s, appKey)
	got, err := client.Beta.ChatKit.Sessions.New(t.Context(), order("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != "active" || got.User != "alice" || got.Workflow.ID != "wf_app" || got.Workflow.Version != "7" ||
		got.MaxRequestsPer1Minute != 5 || !got.ChatKitConfiguration.FileUpload.Enabled || got.Workflow.Tracing.Enabled {
		t.Errorf("got %s", got.RawJSON())
	}
	if issued := s.OpenAI.Issued(); len(issued) != 1 || got.ClientSecret != issued[0] {
		t.Errorf("the secret is none of OpenAI's")
	}
	sent := s.OpenAI.Requests()[0]
	if sent.Header.Get("Authorization") != "Bearer "+testsite.OpenAIKey || strings.Contains(string(sent.Body), appKey) {
		t.Errorf("sent %v", sent.Header)
	}
	canceled, err := client.Beta.ChatKit.Sessions.Cancel(t.Context(), got.ID)
	if err != nil || canceled.Status != "cancelled" || canceled.ID != got.ID {
		t.Errorf("got %v and %v", canceled, err)
	}
	if calls := s.OpenAI.Calls(); calls != 2 {
		t.Errorf("OpenAI was asked %d times", calls)
	}
	if last := s.OpenAI.Requests()[1]; len(last.Body) > 0 || !strings.HasSuffix(last.Path, got.ID+"/cancel") {
		t.Errorf("sent %s %q", last.Path, last.Body)
	}
}

// The backend serves: the session is its own in the shape of OpenAI's, and once
// it is canceled nothing is carried for it any more.
func TestSDKWithTheBackend(t *testing.T) {
	s := testsite.NewUnloaded(t)
	k := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/sessions" {
			_, _ = w.Write([]byte(`{"session_id":"own-1","expires_at":"2099-01-01T00:00:00Z"}`))
		}
	})
	s.Load(strings.Replace(behindSDK(""), "{env.TEST_BACKEND_URL}", k.URL, 1))
	client := sdk(s, appKey)
	got, err := client.Beta.ChatKit.Sessions.New(t.Context(), order("bob"))
	if err != nil {
		t.Fatal(err)
	}
	var asked map[string]any
	if err := json.Unmarshal([]byte(k.Only(t).Text), &asked); err != nil {
		t.Fatal(err)
	}
	if metadata, _ := asked["metadata"].(map[string]any); asked["user_id"] != "bob" || asked["model"] != "large" || metadata["plan"] != "pro" {
		t.Errorf("the backend was asked %v", asked)
	}
	if got.ClientSecret != "own-1" || got.ExpiresAt != 4070908800 || got.User != "bob" || got.Workflow.ID != "wf_app" ||
		got.Status != "active" || got.RateLimits.MaxRequestsPer1Minute != 5 || got.Object != "chatkit.session" {
		t.Errorf("got %s", got.RawJSON())
	}
	if !regexp.MustCompile(`^cksess_[0-9a-f]{32}$`).MatchString(got.ID) || strings.Contains(got.ID, "own-1") {
		t.Errorf("the id is %q", got.ID)
	}
	if a := s.Stream("Authorization: Bearer own-1"); a.Status != http.StatusOK {
		t.Errorf("a stream got %d", a.Status)
	}
	canceled, err := client.Beta.ChatKit.Sessions.Cancel(t.Context(), got.ID)
	if err != nil || canceled.Status != "cancelled" || canceled.ID != got.ID || canceled.ExpiresAt != got.ExpiresAt {
		t.Fatalf("got %v and %v", canceled, err)
	}
	before := len(k.Received())
	a := s.Stream("Authorization: Bearer own-1")
	if a.Status != http.StatusUnauthorized || a.Body["code"] != "UNAUTHORIZED" || len(k.Received()) != before || s.OpenAI.Calls() != 0 {
		t.Errorf("a stream of a canceled session got %d", a.Status)
	}
}

// Every error is one that the SDK has a type for.
func TestSDKErrors(t *testing.T) {
	tests := []struct {
		name    string
		options string
		key     string
		fault   sandbox.Fault
		call    func(*testing.T, openai.Client) error
		want    openai.Error
	}{
		{
			"wrong key", "", "sk-wrong", "", create("u"),
			openai.Error{StatusCode: 401, Type: "invalid_request_error", Code: "invalid_api_key"},
		},
		{
			"no key", "", "", "", create("u"),
			openai.Error{StatusCode: 401, Type: "invalid_request_error", Code: "invalid_api_key"},
		},
		{
			"no user", "", appKey, "", create(""),
			openai.Error{StatusCode: 400, Type: "invalid_request_error", Code: "bad_request", Param: "user"},
		},
		{
			"a workflow that is not configured", "", appKey, "", func(t *testing.T, c openai.Client) error {
				t.Helper()
				p := order("u")
				p.Workflow.ID = "wf_other"
				_, err := c.Beta.ChatKit.Sessions.New(t.Context(), p)
				return err
			},
			openai.Error{StatusCode: 400, Type: "invalid_request_error", Code: "bad_request", Param: "workflow.id"},
		},
		{
			"too many", "rate_limit user 1 1h", appKey, "", func(t *testing.T, c openai.Client) error {
				t.Helper()
				if err := create("u")(t, c); err != nil {
					t.Fatal(err)
				}
				return create("u")(t, c)
			},
			openai.Error{StatusCode: 429, Type: "rate_limit_error", Code: "rate_limited"},
		},
		{
			"everybody dead", "", appKey, sandbox.Refuse, create("u"),
			openai.Error{StatusCode: 502, Type: "server_error", Code: "session_error"},
		},
		{
			"everybody slow", "", appKey, sandbox.Hang, create("u"),
			openai.Error{StatusCode: 504, Type: "server_error", Code: "session_error"},
		},
		{
			"cancel what nobody knows", "", appKey, "", cancelUnknown,
			openai.Error{StatusCode: 404, Type: "invalid_request_error", Code: "rejected"},
		},
		{
			"cancel, wrong key", "", "sk-wrong", "", cancelUnknown,
			openai.Error{StatusCode: 401, Type: "invalid_request_error", Code: "invalid_api_key"},
		},
		{
			"cancel, everybody dead", "", appKey, sandbox.Refuse, cancelUnknown,
			openai.Error{StatusCode: 502, Type: "server_error", Code: "session_error"},
		},
		{
			"cancel, key of ours refused", "", appKey, sandbox.Status401, cancelUnknown,
			openai.Error{StatusCode: 502, Type: "server_error", Code: "session_error"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testsite.New(t, behindSDK(tt.options))
			if tt.fault != "" {
				testsite.Set(t, s.Backend, tt.fault)
				testsite.Set(t, s.OpenAI, tt.fault)
			}
			err := tt.call(t, sdk(s, tt.key))
			got, ok := errors.AsType[*openai.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if got.StatusCode != tt.want.StatusCode || got.Type != tt.want.Type || got.Code != tt.want.Code || got.Param != tt.want.Param {
				t.Errorf("got %d %s, want %+v", got.StatusCode, got.RawJSON(), tt.want)
			}
			if got.Message == "" || got.Response.Header.Get("X-Request-Id") == "" {
				t.Errorf("got %s, and request id %q", got.RawJSON(), got.Response.Header.Get("X-Request-Id"))
			}
			if retry := got.Response.Header.Get("Retry-After"); (got.StatusCode == http.StatusTooManyRequests) != (retry != "") {
				t.Errorf("Retry-After is %q", retry)
			}
		})
	}
}

func create(user string) func(*testing.T, openai.Client) error {
	return func(t *testing.T, c openai.Client) error {
		t.Helper()
		p := openai.BetaChatKitSessionNewParams{User: user, Workflow: openai.ChatSessionWorkflowParam{ID: "wf_app", Version: param.NewOpt("1")}}
		_, err := c.Beta.ChatKit.Sessions.New(t.Context(), p)
		return err
	}
}

func cancelUnknown(t *testing.T, c openai.Client) error {
	t.Helper()
	_, err := c.Beta.ChatKit.Sessions.Cancel(t.Context(), "cksess_unknown")
	return err
}
