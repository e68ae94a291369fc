package openai

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What the app leaves out is filled in, and what the operator has set is the most
// that it can have.
func TestCreateFromSpec(t *testing.T) {
	limits := func(o *OpenAI) {
		o.Version, o.ExpiresAfter, o.RateLimit, o.FileUpload = "3", caddy.Duration(time.Minute), 7, true
	}
	const files = `"chatkit_configuration":{"file_upload":{"enabled":true}}`
	const most = `"expires_after":{"anchor":"created_at","seconds":60},"rate_limits":{"max_requests_per_1_minute":7},` + files
	cases := []struct {
		name       string
		change     func(*OpenAI)
		spec, want string
	}{
		{"no limits", nil, `{"user":"u","workflow":{"id":"wf_1","version":"9","tracing":{"enabled":false},"state_variables":{"a":"<"}},
			"rate_limits":{"max_requests_per_1_minute":100000},"expires_after":{"anchor":"created_at","seconds":600},
			"chatkit_configuration":{"history":{"enabled":false}},"new":{"a":1}}`, ""},
		{"nothing said", limits, `{"user":"u"}`, `{"user":"u","workflow":{"id":"wf_1","version":"3"},` + most + `}`},
		{"workflow without an id", limits, `{"user":"u","workflow":{"tracing":{"enabled":false}}}`,
			`{"user":"u","workflow":{"id":"wf_1","version":"3","tracing":{"enabled":false}},` + most + `}`},
		{"more than allowed", limits, `{"user":"u","workflow":{"id":"wf_1"},"rate_limits":{"max_requests_per_1_minute":8},
			"expires_after":{"anchor":"created_at","seconds":61}}`, `{"user":"u","workflow":{"id":"wf_1","version":"3"},` + most + `}`},
		{"far more", limits, `{"user":"u","workflow":{"id":"wf_1"},"rate_limits":{"max_requests_per_1_minute":1e300},
			"expires_after":{"anchor":"created_at","seconds":-1}}`, `{"user":"u","workflow":{"id":"wf_1","version":"3"},` + most + `}`},
		{"no numbers", limits, `{"user":"u","rate_limits":null,"expires_after":{"anchor":"created_at","Seconds":600,"seconds":"600"}}`,
			`{"user":"u","workflow":{"id":"wf_1","version":"3"},"expires_after":{"anchor":"created_at","Seconds":600,"seconds":60},
			"rate_limits":{"max_requests_per_1_minute":7},` + files + `}`},
		{"as much", limits, `{"user":"u",` + most + `}`, `{"user":"u","workflow":{"id":"wf_1","version":"3"},` + most + `}`},
		{"less", limits, `{"user":"u","workflow":{"id":"wf_1","version":"3"},"rate_limits":{"max_requests_per_1_minute":1},
			"expires_after":{"anchor":"created_at","seconds":1},"chatkit_configuration":{"file_upload":{"enabled":false}}}`, ""},
		{"workflow of another provider", nil, `{"user":"u","workflow":{"id":"wf_other","version":"9","tracing":{"enabled":false}}}`,
			`{"user":"u","workflow":{"id":"wf_1","tracing":{"enabled":false}}}`},
		{"workflow of a model", func(o *OpenAI) { o.Models = map[string]string{"m": "wf_2"} }, `{"user":"u","workflow":{"id":"wf_2"}}`, ""},
		{"version that breaks chats", nil, `{"user":"u","workflow":{"id":"wf_1","version":"latest"}}`, `{"user":"u","workflow":{"id":"wf_1"}}`},
		{"another user", nil, `{"user":"other","workflow":{"id":"wf_1"}}`, `{"user":"u","workflow":{"id":"wf_1"}}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, good)
			if c.want == "" {
				c.want = c.spec
			}
			got, err := create(t, s.provider(t, "/v1", c.change), session.Request{User: "u", Spec: json.RawMessage(c.spec)})
			if err != nil {
				t.Fatal(err)
			}
			var sent, want any
			if json.Unmarshal(s.body, &sent) != nil || json.Unmarshal([]byte(c.want), &want) != nil || !reflect.DeepEqual(sent, want) {
				t.Errorf("sent %s", s.body)
			}
			if string(got.Resource) != good || s.asked != 1 {
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

func TestModelOf(t *testing.T) {
	o := start(t, good).provider(t, "/v1", func(o *OpenAI) {
		o.Models = map[string]string{"large": "wf_2"}
	})
	for spec, want := range map[string]string{
		`{"workflow":{"id":"wf_2"}}`: "large", `{"workflow":{"id":"wf_1"}}`: "", `{"workflow":{}}`: "", `{"workflow":7}`: "", "": "",
	} {
		if got := o.ModelOf(json.RawMessage(spec)); got != want {
			t.Errorf("%s: got %q, want %q", spec, got, want)
		}
	}
}

func TestCheckSpec(t *testing.T) {
	versioned := func(o *OpenAI) { o.Version = "3" }
	for _, c := range []struct {
		name     string
		change   func(*OpenAI)
		workflow string
		param    string // "" where it is fine
	}{
		{"none", nil, `null`, ""},
		{"own", nil, `{"id":"wf_1"}`, ""},
		{"of a model", func(o *OpenAI) { o.Models = map[string]string{"m": "wf_2"} }, `{"id":"wf_2"}`, ""},
		{"another", nil, `{"id":"wf_2"}`, "workflow.id"},
		{"any version", nil, `{"id":"wf_1","version":"9"}`, ""},
		{"own version", versioned, `{"id":"wf_1","version":"3"}`, ""},
		{"no version", versioned, `{"id":"wf_1"}`, ""},
		{"another version", versioned, `{"id":"wf_1","version":"9"}`, "workflow.version"},
		{"another version alone", versioned, `{"version":"9"}`, "workflow.version"},
		{"version that breaks chats", nil, `{"id":"wf_1","version":"latest"}`, "workflow.version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := start(t, good).provider(t, "/v1", c.change)
			if param, err := o.CheckSpec(json.RawMessage(`{"user":"u","workflow":` + c.workflow + `}`)); param != c.param || (err == nil) != (c.param == "") {
				t.Errorf("got %q, %v", param, err)
			}
		})
	}
}
