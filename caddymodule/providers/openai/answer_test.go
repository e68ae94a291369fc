package openai

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// resource is a ChatSessionResource from the API's reference.
const resource = `{"id":"cksess_1","object":"chatkit.session",
	"client_secret":"ek_68e8283b23088190be1d13897c181bc60441400bb23b5dae_00eyJleHBpcmVzX2F0IjogMTc2MDA0NTcxNX0=",
	"expires_at":%d,"workflow":{"id":"wf_1","version":null,"state_variables":null,"tracing":{"enabled":true}},
	"user":"u1","rate_limits":{"max_requests_per_1_minute":10},"max_requests_per_1_minute":10,"status":"active",
	"chatkit_configuration":{"automatic_thread_titling":{"enabled":true},
	"file_upload":{"enabled":false,"max_file_size":null,"max_files":null},"history":{"enabled":true,"recent_threads":null}}}`

func TestAnswerOfTheReference(t *testing.T) {
	at := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	got, err := create(t, start(t, fmt.Sprintf(resource, at.Unix())).provider(t, "/v1", nil), session.Request{User: "u1", Model: "m1"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Secret.Reveal(), "ek_68e8") || !got.ExpiresAt.Equal(at) || got.Model != "" || got.Metadata != nil {
		t.Errorf("got %+v", got)
	}
}

func TestAnswerAccepted(t *testing.T) {
	cases := []struct{ name, answer, secret string }{
		{"the least", `{"client_secret":"ek_1"}`, "ek_1"},
		{"null expiry", `{"client_secret":"ek_1","expires_at":null}`, "ek_1"},
		{"unreadable expiry", `{"client_secret":"ek_1","expires_at":"soon"}`, "ek_1"},
		{"ISO expiry", `{"client_secret":"ek_1","expires_at":"2999-01-01T00:00:00Z"}`, "ek_1"},
		{"expiry in milliseconds", `{"client_secret":"ek_1","expires_at":4102444800000}`, "ek_1"},
		{"the last of two", `{"client_secret":"ek_1","client_secret":"ek_2"}`, "ek_2"},
		{"unknown fields", `{"client_secret":"ek_1","session_id":7,"model":{}}`, "ek_1"},
		{"longest secret", `{"client_secret":"` + strings.Repeat("x", session.MaxSecret) + `"}`, strings.Repeat("x", session.MaxSecret)},
		{
			"largest answer", `{"client_secret":"ek_1"}` + strings.Repeat(" ", provider.MaxAnswer-len(`{"client_secret":"ek_1"}`)), "ek_1",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := create(t, start(t, c.answer).provider(t, "/v1", nil), session.Request{User: "u1"})
			if err != nil || got.Secret.Reveal() != c.secret {
				t.Errorf("got %q, %v", got.Secret.Reveal(), err)
			}
		})
	}
}

func TestAnswerRefused(t *testing.T) {
	cases := map[string]string{
		"empty": "", "HTML": "<html>planted</html>", "null": "null", "empty object": "{}", "list": `["planted"]`,
		"cut": `{"client_secret":"planted`, "two": good + good, "session_id is none": `{"session_id":"planted"}`,
		"empty secret": `{"client_secret":""}`, "null secret": `{"client_secret":null}`, "numeric secret": `{"client_secret":7}`,
		"boolean secret": `{"client_secret":true}`, "object for a secret": `{"client_secret":{"value":"planted"}}`,
		"control character": `{"client_secret":"planted\n"}`,
		"too long":          `{"client_secret":"` + strings.Repeat("x", session.MaxSecret+1) + `"}`,
		"too large":         good + strings.Repeat(" ", provider.MaxAnswer),
		"20,000 brackets":   `{"client_secret":"planted","workflow":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}",
		"expired":           fmt.Sprintf(resource, time.Now().Add(-time.Second).Unix()),
		"error with a 200":  `{"error":{"message":"planted"}}`,
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := create(t, start(t, answer).provider(t, "/v1", nil), session.Request{User: "u1"})
			if v := verdict(t, err); v.Reason != session.InvalidResponse || v.Effect != session.Failed || !v.Next || v.Retry {
				t.Errorf("got %+v", v)
			}
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error repeats the answer: %v", err)
			}
		})
	}
}

// The API's documented errors, and the result of each.
func TestAnswerErrors(t *testing.T) {
	cases := []struct {
		status int
		want   session.Reason
		next   bool
	}{
		{400, session.Rejected, false},
		{401, session.Misconfigured, true},
		{403, session.Rejected, false},
		{404, session.Misconfigured, true},
		{408, session.Status408, true},
		{409, session.Rejected, false},
		{422, session.Rejected, false},
		{429, session.Status429, true},
		{500, session.Status5xx, true},
		{503, session.Status5xx, true},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			s := start(t, `{"error":{"message":"planted","type":"x","param":null,"code":null}}`)
			s.status = c.status
			got, err := create(t, s.provider(t, "/v1", nil), session.Request{User: "u1"})
			if v := verdict(t, err); v.Reason != c.want || v.Next != c.next || v.Status != c.status || s.asked != 1 {
				t.Errorf("got %+v, asked %d times", v, s.asked)
			}
			if f, ok := errors.AsType[*session.Failure](err); !ok || !f.KeyLimit {
				t.Errorf("%v is not about the limit of our key", err)
			}
			if got.Secret != "" || strings.Contains(err.Error(), "planted") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
