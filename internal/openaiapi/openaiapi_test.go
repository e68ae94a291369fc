package openaiapi_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ijson"
	"github.com/caddy-chatkit/caddy-chatkit/internal/openaiapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestParseSpec(t *testing.T) {
	cases := []struct {
		name, body string
		want       openaiapi.Spec // JSON "" is body
		param      string         // of the error; "-" for the body's
	}{
		{"the least", `{"user":"u","workflow":{"id":"wf_1"}}`, openaiapi.Spec{User: "u"}, ""},
		{"space around", "\n {\"user\":\"u\"} ", openaiapi.Spec{User: "u", JSON: raw(`{"user":"u"}`)}, ""},
		{"space around the user", `{"user":" a b\n"}`, openaiapi.Spec{User: "a b", JSON: raw(`{"user":"a b"}`)}, ""},
		{"escaped user", `{"user":"\u00e4<&>"}`, openaiapi.Spec{User: "ä<&>", JSON: raw(`{"user":"ä<&>"}`)}, ""},
		{
			"variables", `{"user":"u","workflow":{"id":"w","state_variables":{"a":"<"}}}`,
			openaiapi.Spec{User: "u", Variables: raw(`{"a":"<"}`)}, "",
		},
		{"null variables", `{"user":"u","workflow":{"id":"w","state_variables":null}}`, openaiapi.Spec{User: "u"}, ""},
		{"unknown fields are the API's", `{"new":{"X":[1]},"user":"u"}`, openaiapi.Spec{User: "u"}, ""},
		{"limits", `{"expires_after":{"anchor":"a","seconds":6e1},"rate_limits":{"max_requests_per_1_minute":5},"user":"u"}`, openaiapi.Spec{User: "u"}, ""},
		{"empty", "", openaiapi.Spec{}, "-"},
		{"null", "null", openaiapi.Spec{}, "-"},
		{"list", `[{"user":"u"}]`, openaiapi.Spec{}, "-"},
		{"two", `{"user":"u"}{}`, openaiapi.Spec{}, "-"},
		{"lone surrogate", `{"user":"u","x":"\ud800"}`, openaiapi.Spec{}, "-"},
		{"NUL in the user", `{"user":"u\u0000"}`, openaiapi.Spec{}, "-"},
		{"invalid UTF-8 in the user", "{\"user\":\"a\xff\"}", openaiapi.Spec{}, "-"},
		{"number beyond a float64", `{"user":"u","workflow":{"state_variables":{"a":1e999}}}`, openaiapi.Spec{}, "-"},
		{"too deep", `{"user":"u","x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, openaiapi.Spec{}, "-"},
		{"user twice", `{"user":"alice","user":"bob"}`, openaiapi.Spec{}, "-"},
		{"workflow twice", `{"user":"u","workflow":{},"workflow":{"id":"w"}}`, openaiapi.Spec{}, "-"},
		{"user in capitals too", `{"user":"alice","User":"bob"}`, openaiapi.Spec{}, "User"},
		{"user in capitals", `{"USER":"bob"}`, openaiapi.Spec{}, "USER"},
		{"user with a long s", `{"user":"alice","u\u017fer":"bob"}`, openaiapi.Spec{}, "uſer"},
		{"workflow in capitals", `{"user":"u","Workflow":{"id":"w"}}`, openaiapi.Spec{}, "Workflow"},
		{"expires_after in capitals", `{"user":"u","Expires_After":{}}`, openaiapi.Spec{}, "Expires_After"},
		{"rate_limits in capitals", `{"user":"u","RATE_LIMITS":{}}`, openaiapi.Spec{}, "RATE_LIMITS"},
		{"chatkit_configuration in capitals", `{"user":"u","ChatKit_Configuration":{}}`, openaiapi.Spec{}, "ChatKit_Configuration"},
		{"workflow id in capitals", `{"user":"u","workflow":{"id":"w","ID":"x"}}`, openaiapi.Spec{}, "workflow.ID"},
		{"seconds in capitals", `{"user":"u","expires_after":{"Seconds":600}}`, openaiapi.Spec{}, "expires_after.Seconds"},
		{"rate in capitals", `{"user":"u","rate_limits":{"Max_requests_per_1_minute":600}}`, openaiapi.Spec{}, "rate_limits.Max_requests_per_1_minute"},
		{"no user", `{"workflow":{"id":"w"}}`, openaiapi.Spec{}, "user"},
		{"empty user", `{"user":""}`, openaiapi.Spec{}, "user"},
		{"blank user", `{"user":" \t\u00a0"}`, openaiapi.Spec{}, "user"},
		{"user is null", `{"user":null}`, openaiapi.Spec{}, "user"},
		{"user is an object", `{"user":{"id":"u"}}`, openaiapi.Spec{}, "user"},
		{"workflow is null", `{"user":"u","workflow":null}`, openaiapi.Spec{}, "workflow"},
		{"workflow is a text", `{"user":"u","workflow":"w"}`, openaiapi.Spec{}, "workflow"},
		{"workflow id is a number", `{"user":"u","workflow":{"id":7}}`, openaiapi.Spec{}, "workflow.id"},
		{"version is a number", `{"user":"u","workflow":{"id":"w","version":7}}`, openaiapi.Spec{}, "workflow.version"},
		{"expires_after is a number", `{"user":"u","expires_after":1800}`, openaiapi.Spec{}, "expires_after"},
		{"seconds are a text", `{"user":"u","expires_after":{"seconds":"60"}}`, openaiapi.Spec{}, "expires_after.seconds"},
		{"seconds are null", `{"user":"u","expires_after":{"seconds":null}}`, openaiapi.Spec{}, "expires_after.seconds"},
		{"half a request", `{"user":"u","rate_limits":{"max_requests_per_1_minute":0.5}}`, openaiapi.Spec{}, "rate_limits.max_requests_per_1_minute"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := openaiapi.ParseSpec([]byte(c.body))
			if c.param == "" {
				if c.want.JSON == nil {
					c.want.JSON = raw(c.body)
				}
				if err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %q %s %s, %v", got.User, got.Variables, got.JSON, err)
				}
				return
			}
			e, ok := errors.AsType[*openaiapi.SpecError](err)
			if !ok || e.Param != strings.Trim(c.param, "-") || e.Error() == "" || !reflect.DeepEqual(got.JSON, c.want.JSON) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{
		`{"user":"u","workflow":{"id":"wf_1","state_variables":{"a":1}}}`, `{"user":"u","workflow":null}`, `{"user":7}`, "[]", "{", "",
		`{"user":"alice","User":"bob"}`, `{"user":" u ","u\u017fer":1}`, `{"user":"\ud800"}`, `{"user":"u","rate_limits":{"max_requests_per_1_minute":1e9}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		spec, err := openaiapi.ParseSpec([]byte(body))
		if err != nil {
			return
		}
		if strings.TrimSpace(spec.User) != spec.User || spec.User == "" || spec.Variables != nil && !json.Valid(spec.Variables) {
			t.Errorf("%q gave %+v", body, spec)
		}
		var sent struct{ User string } // whatever the case
		if ijson.Check(spec.JSON) != nil || json.Unmarshal(spec.JSON, &sent) != nil || sent.User != spec.User {
			t.Errorf("%q gave user %q and %s", body, spec.User, spec.JSON)
		}
		described, err := openaiapi.Describe(spec.JSON, &session.Session{Secret: "s"}, openaiapi.Active)
		if err != nil || !json.Valid(described) {
			t.Errorf("%q is described as %q, %v", body, described, err)
		}
	})
}

// Every field the API's description requires is there, and of its type.
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
			"all said", spec, session.Session{ID: "cksess_1", Secret: "s", ExpiresAt: end}, openaiapi.Active,
			map[string]any{
				"id": "cksess_1", "client_secret": "s", "expires_at": 4070908800., "status": "active", "user": "u",
				"max_requests_per_1_minute": 3., "rate_limits": map[string]any{"max_requests_per_1_minute": 3.},
				"workflow": map[string]any{
					"id": "wf_1", "version": "2", "state_variables": map[string]any{"a": 1.}, "tracing": map[string]any{"enabled": false},
				},
			},
		},
		{
			"nothing said", `{"user":"u"}`, session.Session{ID: "cksess_1", Secret: "s", ExpiresAt: end}, openaiapi.Active,
			map[string]any{
				"max_requests_per_1_minute": 10., "rate_limits": map[string]any{"max_requests_per_1_minute": 10.},
				"workflow": map[string]any{
					"id": "", "version": nil, "state_variables": nil, "tracing": map[string]any{"enabled": true},
				},
			},
		},
		{"cancelled", "", session.Session{ID: "cksess_1", ExpiresAt: end}, openaiapi.Cancelled, map[string]any{"status": "cancelled", "client_secret": ""}},
	}
	required := []string{
		"id", "object", "expires_at", "client_secret", "workflow", "user", "rate_limits", "max_requests_per_1_minute", "status",
		"chatkit_configuration",
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			raw, err := openaiapi.Describe(json.RawMessage(c.spec), &c.s, c.status)
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

// A backend that does not tell when its session ends.
func TestDescribeUnknownEnd(t *testing.T) {
	raw, err := openaiapi.Describe(nil, &session.Session{Secret: "s"}, openaiapi.Active)
	var got struct {
		ExpiresAt int64 `json:"expires_at"`
	}
	if err != nil || json.Unmarshal(raw, &got) != nil {
		t.Fatal(err)
	}
	if in := time.Until(time.Unix(got.ExpiresAt, 0)); in < 9*time.Minute || in > 10*time.Minute {
		t.Errorf("it ends in %v", in)
	}
}

func TestErrorBody(t *testing.T) {
	for status, kind := range map[int]string{
		400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error", 413: "invalid_request_error",
		429: "rate_limit_error", 500: "server_error", 502: "server_error", 503: "service_unavailable_error", 504: "server_error",
	} {
		var got struct{ Error map[string]any }
		if err := json.Unmarshal(openaiapi.ErrorBody(status, "m", "", ""), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"message": "m", "type": kind, "param": nil, "code": nil}
		if !reflect.DeepEqual(got.Error, want) {
			t.Errorf("%d: got %v", status, got.Error)
		}
	}
}
