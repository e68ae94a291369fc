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

// What the app says wins, what it leaves out is filled in.
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
			o := s.provider(t, "/v1", func(o *OpenAI) {
				o.Version, o.ExpiresAfter, o.RateLimit = "3", caddy.Duration(time.Minute), 7
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
