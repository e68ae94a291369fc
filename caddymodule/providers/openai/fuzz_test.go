package openai

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// says is a transport that always answers with this body.
type says string

func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(s))), ContentLength: int64(len(s))}, nil
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"client_secret":"ek_1","expires_at":1760045715}`, `{"client_secret":7}`, `{"client_secret":null}`, `{"expires_at":"2026-11-20T20:00:00Z"}`,
		`{"CLIENT_SECRET":"x"}`, `{"client_secret":"\u0000"}`, `{"client_secret":"\ud800","expires_at":1e308}`, `[]`, `{`, ``, "{}x", "null",
	} {
		f.Add(seed)
	}
	shared := provision(f, "https://api.test/v1", nil)
	f.Fuzz(func(t *testing.T, body string) {
		o := *shared
		o.client.Transport = says(body)
		s, err := o.Create(t.Context(), &session.Request{User: "u1"})
		if err != nil {
			fail, ok := errors.AsType[*session.Failure](err)
			if !ok || fail.Reason != session.InvalidResponse || s.Secret != "" {
				t.Errorf("%q gives %v and a session %t", body, err, s.Secret != "")
			}
			return
		}
		if !json.Valid([]byte(strings.TrimPrefix(body, "\ufeff"))) && !strings.HasPrefix(body, "\x1f\x8b") {
			t.Errorf("took %q for JSON", body)
		}
		if s.Check(time.Now()) != nil {
			return
		}
		if _, err := json.Marshal(map[string]any{"client_secret": s.Secret.Reveal(), "expires_at": s.ExpiresAt}); err != nil {
			t.Errorf("%q gives a session that cannot be written: %v", body, err)
		}
	})
}
