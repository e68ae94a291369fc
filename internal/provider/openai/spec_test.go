package openai_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/openai"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestParseSpec(t *testing.T) {
	cases := []struct {
		name, body string
		want       openai.Spec
		param      string // of the error; "-" for the body's
	}{
		{"the least", `{"user":"u","workflow":{"id":"wf_1"}}`, openai.Spec{User: "u", Workflow: "wf_1"}, ""},
		{"space around", "\n {\"user\":\"u\"} ", openai.Spec{User: "u"}, ""},
		{
			"variables", `{"user":"u","workflow":{"id":"w","state_variables":{"a":1}}}`,
			openai.Spec{User: "u", Workflow: "w", Variables: json.RawMessage(`{"a":1}`)}, "",
		},
		{"null variables", `{"user":"u","workflow":{"id":"w","state_variables":null}}`, openai.Spec{User: "u", Workflow: "w"}, ""},
		{"unknown fields are the API's", `{"user":"u","new":{"x":[1]}}`, openai.Spec{User: "u"}, ""},
		{"empty", "", openai.Spec{}, "-"},
		{"null", "null", openai.Spec{}, "-"},
		{"list", `[{"user":"u"}]`, openai.Spec{}, "-"},
		{"two", `{"user":"u"}{}`, openai.Spec{}, "-"},
		{"no user", `{"workflow":{"id":"w"}}`, openai.Spec{}, "user"},
		{"empty user", `{"user":""}`, openai.Spec{}, "user"},
		{"user is null", `{"user":null}`, openai.Spec{}, "user"},
		{"user is an object", `{"user":{"id":"u"}}`, openai.Spec{}, "user"},
		{"workflow is null", `{"user":"u","workflow":null}`, openai.Spec{User: "u"}, "workflow"},
		{"workflow is a text", `{"user":"u","workflow":"w"}`, openai.Spec{User: "u"}, "workflow"},
		{"workflow id is a number", `{"user":"u","workflow":{"id":7}}`, openai.Spec{User: "u"}, "workflow"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := openai.ParseSpec([]byte(c.body))
			if c.param == "" {
				if err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			e, ok := errors.AsType[*openai.SpecError](err)
			if !ok || e.Param != strings.Trim(c.param, "-") || e.Error() == "" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{
		`{"user":"u","workflow":{"id":"wf_1","state_variables":{"a":1}}}`, `{"user":"u","workflow":null}`, `{"user":7}`, "[]", "{", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		spec, err := openai.ParseSpec([]byte(body))
		if err != nil {
			return
		}
		if spec.User == "" || spec.Variables != nil && !json.Valid(spec.Variables) {
			t.Errorf("%q gave %+v", body, spec)
		}
		described, err := openai.Describe(json.RawMessage(body), &session.Session{Secret: "s"}, openai.Active)
		if err != nil || !json.Valid(described) {
			t.Errorf("%q is described as %q, %v", body, described, err)
		}
	})
}

// The app's fields take precedence, missing fields are filled in.
func TestCreateFromSpec(t *testing.T) {
	cases := []struct{ name, spec, want string }{
		{"nothing of ours", `{"user":"u","workflow":{"id":"wf_app","tracing":{"enabled":false}},"rate_limits":{"max_requests_per_1_minute":1},
			"expires_after":{"anchor":"created_at","seconds":1},"chatkit_configuration":{"history":{"enabled":false}}}`, ""},
		{"all of ours", `{"user":"u"}`, `{"user":"u","workflow":{"id":"wf_1","version":"3"},
			"expires_after":{"anchor":"created_at","seconds":60},"rate_limits":{"max_requests_per_1_minute":7}}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, good)
			o := s.provider(t, "/v1", func(c *openai.Config) {
				c.Version, c.ExpiresAfter, c.RateLimit = "3", time.Minute, 7
			})
			if c.want == "" {
				c.want = c.spec
			}
			got, err := create(t, o, session.Request{User: "u", Spec: json.RawMessage(c.spec)})
			if err != nil {
				t.Fatal(err)
			}
			var sent, want any
			_, _ = json.Unmarshal(s.body, &sent), json.Unmarshal([]byte(c.want), &want)
			if !reflect.DeepEqual(sent, want) {
				t.Errorf("sent %s", s.body)
			}
			if string(got.Resource) != good {
				t.Errorf("the answer is kept as %s", got.Resource)
			}
		})
	}
	t.Run("without one nothing is kept", func(t *testing.T) {
		got, err := create(t, start(t, good).provider(t, "/v1", nil), session.Request{User: "u"})
		if err != nil || got.Resource != nil {
			t.Errorf("got %s, %v", got.Resource, err)
		}
	})
}

// Every field that the API's description requires is present and has its type.
func TestDescribe(t *testing.T) {
	const spec = `{"user":"u","workflow":{"id":"wf_1","version":"2","state_variables":{"a":1},"tracing":{"enabled":false}},
		"rate_limits":{"max_requests_per_1_minute":3}}`
	end := time.Unix(4070908800, 0)
	cases := []struct {
		name, spec string
		s          session.Session
		status     string
		want       map[string]any
	}{
		{
			"all said", spec, session.Session{ID: "cksess_1", Secret: "s", ExpiresAt: end}, openai.Active,
			map[string]any{
				"id": "cksess_1", "client_secret": "s", "expires_at": 4070908800., "status": "active", "user": "u",
				"max_requests_per_1_minute": 3., "rate_limits": map[string]any{"max_requests_per_1_minute": 3.},
				"workflow": map[string]any{
					"id": "wf_1", "version": "2", "state_variables": map[string]any{"a": 1.}, "tracing": map[string]any{"enabled": false},
				},
			},
		},
		{
			"nothing said", `{"user":"u"}`, session.Session{ID: "cksess_1", Secret: "s", ExpiresAt: end}, openai.Active,
			map[string]any{
				"max_requests_per_1_minute": 10., "rate_limits": map[string]any{"max_requests_per_1_minute": 10.},
				"workflow": map[string]any{
					"id": "", "version": nil, "state_variables": nil, "tracing": map[string]any{"enabled": true},
				},
			},
		},
		{"cancelled", "", session.Session{ID: "cksess_1", ExpiresAt: end}, openai.Cancelled, map[string]any{"status": "cancelled", "client_secret": ""}},
	}
	required := []string{
		"id", "object", "expires_at", "client_secret", "workflow", "user", "rate_limits", "max_requests_per_1_minute", "status",
		"chatkit_configuration",
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			raw, err := openai.Describe(json.RawMessage(c.spec), &c.s, c.status)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			for _, name := range required {
				if v, ok := got[name]; !ok || v == nil {
					t.Errorf("%s is missing in %s", name, raw)
				}
			}
			for name, want := range c.want {
				if !reflect.DeepEqual(got[name], want) {
					t.Errorf("%s is %v, want %v", name, got[name], want)
				}
			}
		})
	}
}

// A backend that does not say when its session ends.
func TestDescribeUnknownEnd(t *testing.T) {
	raw, err := openai.Describe(nil, &session.Session{Secret: "s"}, openai.Active)
	var got struct {
		ExpiresAt int64 `json:"expires_at"`
	}
	if err != nil || json.Unmarshal(raw, &got) != nil {
		t.Fatal(err)
	}
	if in := time.Until(time.Unix(got.ExpiresAt, 0)); in < 9*time.Minute || in > openai.MaxExpiresAfter {
		t.Errorf("it ends in %v", in)
	}
}

func TestCancel(t *testing.T) {
	const canceled = `{"id":"cksess_1","object":"chatkit.session","status":"cancelled","client_secret":"ek_1"}`
	t.Run("done", func(t *testing.T) {
		s := start(t, canceled)
		got, err := s.provider(t, "/v1", nil).Cancel(t.Context(), "cksess_1", "r1")
		if err != nil || string(got) != canceled {
			t.Fatalf("got %s, %v", got, err)
		}
		if s.req.RequestURI != "/v1/chatkit/sessions/cksess_1/cancel" || s.req.Method != http.MethodPost || len(s.body) > 0 ||
			s.req.Header.Get("Openai-Beta") != "chatkit_beta=v1" || s.req.Header.Get("X-Request-Id") != "r1" {
			t.Errorf("asked %s %v %q", s.req.RequestURI, s.req.Header, s.body)
		}
	})
	for name, c := range map[string]struct {
		status int
		answer string
		want   session.Reason
	}{
		"another's": {200, strings.Replace(canceled, "cksess_1", "cksess_2", 1), session.InvalidResponse},
		"garbage":   {200, "<html>", session.InvalidResponse},
		"broken":    {500, "", session.Status5xx},
		"bad key":   {401, "", session.Misconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.answer)
			s.status = c.status
			got, err := s.provider(t, "/v1", nil).Cancel(t.Context(), "cksess_1", "")
			if v := verdict(t, err); v.Reason != c.want || got != nil || s.asked != 1 {
				t.Errorf("got %s, %+v", got, v)
			}
		})
	}
}

func TestErrorBody(t *testing.T) {
	for status, kind := range map[int]string{
		400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error", 413: "invalid_request_error",
		429: "rate_limit_error", 500: "server_error", 502: "server_error", 503: "service_unavailable_error", 504: "server_error",
	} {
		var got struct{ Error map[string]any }
		if err := json.Unmarshal(openai.ErrorBody(status, "m", "", ""), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"message": "m", "type": kind, "param": nil, "code": nil}
		if !reflect.DeepEqual(got.Error, want) {
			t.Errorf("%d: got %v", status, got.Error)
		}
	}
}
