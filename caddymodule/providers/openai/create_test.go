package openai

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestCreateSends(t *testing.T) {
	models := func(o *OpenAI) { o.Models = map[string]string{"gpt": "wf_gpt", "": "wf_never"} }
	cases := []struct {
		name   string
		change func(*OpenAI)
		req    session.Request
		want   string
	}{
		{"the least", nil, session.Request{User: "u1"}, `{"user":"u1","workflow":{"id":"wf_1"}}`},
		{"version", func(o *OpenAI) { o.Version = "3" }, session.Request{User: "u1"}, `{"user":"u1","workflow":{"id":"wf_1","version":"3"}}`},
		{
			"shortest life", func(o *OpenAI) { o.ExpiresAfter = caddy.Duration(time.Second) }, session.Request{User: "u1"},
			`{"user":"u1","workflow":{"id":"wf_1"},"expires_after":{"anchor":"created_at","seconds":1}}`,
		},
		{
			"longest life", func(o *OpenAI) { o.ExpiresAfter = caddy.Duration(10 * time.Minute) }, session.Request{User: "u1"},
			`{"user":"u1","workflow":{"id":"wf_1"},"expires_after":{"anchor":"created_at","seconds":600}}`,
		},
		{
			"rate limit", func(o *OpenAI) { o.RateLimit = 1 }, session.Request{User: "u1"},
			`{"user":"u1","workflow":{"id":"wf_1"},"rate_limits":{"max_requests_per_1_minute":1}}`,
		},
		{
			"files", func(o *OpenAI) { o.FileUpload = true }, session.Request{User: "u1"},
			`{"user":"u1","workflow":{"id":"wf_1"},"chatkit_configuration":{"file_upload":{"enabled":true}}}`,
		},
		{"workflow of a model", models, session.Request{User: "u1", Model: "gpt"}, `{"user":"u1","workflow":{"id":"wf_gpt"}}`},
		{"unknown model", models, session.Request{User: "u1", Model: "other"}, `{"user":"u1","workflow":{"id":"wf_1"}}`},
		{
			"nothing else of the request", nil,
			session.Request{User: "u1", Model: "m", Metadata: json.RawMessage(`{"a":1}`), Current: "planted", ID: "r1"},
			`{"user":"u1","workflow":{"id":"wf_1"}}`,
		},
		{"odd user", nil, session.Request{User: `o"b & jürgen <x>`}, `{"user":"o\"b & jürgen <x>","workflow":{"id":"wf_1"}}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, good)
			if _, err := create(t, s.provider(t, "/v1", c.change), c.req); err != nil {
				t.Fatal(err)
			}
			if s.asked != 1 || s.req.Method != http.MethodPost || s.req.RequestURI != "/v1/chatkit/sessions" {
				t.Errorf("asked %d times, last %s %s", s.asked, s.req.Method, s.req.RequestURI)
			}
			if err := validate(s.body); err != nil {
				t.Errorf("against the schema: %v", err)
			}
			var got, want any
			_, _ = json.Unmarshal(s.body, &got), json.Unmarshal([]byte(c.want), &want)
			if !reflect.DeepEqual(got, want) || s.req.ContentLength != int64(len(s.body)) {
				t.Errorf("sent %s, want %s", s.body, c.want)
			}
		})
	}
}

func TestCreateBelowItsBaseURL(t *testing.T) {
	for base, want := range map[string]string{
		"/v1": "/v1/chatkit/sessions", "/v1/": "/v1/chatkit/sessions", "/": "/chatkit/sessions",
		"/proxy/openai/v1": "/proxy/openai/v1/chatkit/sessions",
	} {
		t.Run(base, func(t *testing.T) {
			s := start(t, good)
			if _, err := create(t, s.provider(t, base, nil), session.Request{User: "u1"}); err != nil || s.req.RequestURI != want {
				t.Errorf("asked %s, want %s, error: %v", s.req.RequestURI, want, err)
			}
		})
	}
}

func TestProvisionRefusesAQueryInBaseURL(t *testing.T) {
	const base, want = "https://api.test/v1?team=a", "base_url: https://api.test/v1?team=a must not have a query or a fragment"
	if err := (&OpenAI{BaseURL: base}).Provision(caddy.Context{Context: t.Context()}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCreateHeaders(t *testing.T) {
	client := http.Header{
		"Cookie": {"sid=1"}, "Origin": {"https://app.test"}, "Authorization": {"Bearer caller"}, "X-Forwarded-For": {"10.0.0.1"},
		"Openai-Organization": {"org-evil"}, "Openai-Beta": {"assistants=v2"}, "User-Agent": {"Mozilla"}, "Content-Type": {"text/plain"},
	}
	base := func(extra ...string) http.Header {
		h := http.Header{
			"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"caddy-chatkit"},
			"Authorization": {"Bearer sk-1"}, "Openai-Beta": {"chatkit_beta=v1"},
		}
		for i := 0; i < len(extra); i += 2 {
			h.Set(extra[i], extra[i+1])
		}
		return h
	}
	cases := []struct {
		name   string
		change func(*OpenAI)
		id     string
		want   http.Header
	}{
		{"the least", nil, "", base()},
		{"request id", nil, "r1", base("X-Request-Id", "r1")},
		{"organization", func(o *OpenAI) { o.Organization = "org-1" }, "", base("OpenAI-Organization", "org-1")},
		{"project", func(o *OpenAI) { o.Project = "proj_1" }, "r1", base("OpenAI-Project", "proj_1", "X-Request-Id", "r1")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, good)
			o := s.provider(t, "/v1", c.change)
			if _, err := create(t, o, session.Request{User: "u1", ID: c.id, Header: client}); err != nil {
				t.Fatal(err)
			}
			got := s.req.Header.Clone()
			got.Del("Content-Length")
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("sent %v, want %v", got, c.want)
			}
		})
	}
}

// The provider is shared by all requests: it must not keep one user's workflow or
// name.
func TestCreateLeavesTheConfigurationAlone(t *testing.T) {
	s := start(t, good)
	o := s.provider(t, "/v1", func(o *OpenAI) { o.Models = map[string]string{"gpt": "wf_gpt"} })
	for _, want := range []string{"wf_gpt", "wf_1"} {
		req := session.Request{User: "user of " + want}
		if want == "wf_gpt" {
			req.Model = "gpt"
		}
		got, err := create(t, o, req)
		if err != nil || got.Model != req.Model {
			t.Errorf("got model %q, %v", got.Model, err)
		}
		var sent struct {
			User     string
			Workflow struct{ ID string }
		}
		if err := json.Unmarshal(s.body, &sent); err != nil || sent.User != req.User || sent.Workflow.ID != want {
			t.Errorf("sent %s, %v", s.body, err)
		}
	}
}
