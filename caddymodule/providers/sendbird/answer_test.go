package sendbird

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestAnswerAccepted(t *testing.T) {
	at := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	asked := time.Now().Add(10 * time.Minute)
	cases := []struct {
		name, answer string
		ends         time.Time
	}{
		{"as documented", fmt.Sprintf(`{"token":"tok-1","expires_at":%d}`, at.UnixMilli()), at},
		{"token only", `{"token":"tok-1"}`, asked},
		{"null end", `{"token":"tok-1","expires_at":null}`, asked},
		{"end is 0", `{"token":"tok-1","expires_at":0}`, asked},
		{"end is garbage", `{"token":"tok-1","expires_at":"soon"}`, asked},
		{"end is an object", `{"token":"tok-1","expires_at":{}}`, asked},
		{"unknown fields", `{"token":"tok-1","user_id":7,"client_secret":"other","model":{}}`, asked},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, reply{status: 200, body: c.answer})
			got, err := create(t, s.provider(t, "/", nil), session.Request{User: "u@1"})
			if err != nil || got.Secret.Reveal() != "tok-1" || got.ExpiresAt.Sub(c.ends).Abs() > 5*time.Second {
				t.Fatalf("got %q until %s, %v; want until %s", got.Secret.Reveal(), got.ExpiresAt, err, c.ends)
			}
			if got.Extra["token"].Reveal() != "tok-1" || got.Extra["user_id"].Reveal() != "u@1" || len(got.Extra) != 2 {
				t.Errorf("further fields are %d", len(got.Extra))
			}
			if got.Model != "" || got.Metadata != nil || strings.Contains(fmt.Sprintf("%+v", got), "tok-1") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAnswerRefused(t *testing.T) {
	for name, answer := range map[string]string{
		"empty": "", "HTML": "<html>planted</html>", "null": "null", "empty object": "{}", "list": `["planted"]`,
		"cut": `{"token":"planted`, "two": `{"token":"planted"}{}`, "session_id is none": `{"session_id":"planted"}`,
		"empty token": `{"token":""}`, "null token": `{"token":null}`, "numeric token": `{"token":7}`,
		"object for a token": `{"token":{"value":"planted"}}`, "control character": `{"token":"planted\n"}`,
		"too long":         `{"token":"` + strings.Repeat("x", session.MaxSecret+1) + `"}`,
		"too large":        good.body + strings.Repeat(" ", provider.MaxAnswer),
		"expired":          fmt.Sprintf(`{"token":"planted","expires_at":%d}`, time.Now().Add(-time.Second).UnixMilli()),
		"error with a 200": `{"message":"planted","code":400201,"error":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, reply{status: 200, body: answer})
			_, err := create(t, s.provider(t, "/", creating), session.Request{User: "u1"})
			if v := verdict(t, err); v.Reason != session.InvalidResponse || v.Effect != session.Failed || !v.Next || v.Retry {
				t.Errorf("got %+v", v)
			}
			s.wantAsked(t, issuePath)
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error repeats the answer: %v", err)
			}
		})
	}
}
