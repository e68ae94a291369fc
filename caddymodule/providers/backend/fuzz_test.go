package backend

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"session_id":"s1","expires_at":"2026-11-20T20:00:00Z","model":"m","metadata":{"a":1}}`, `{"client_secret":"c","session_id":7}`,
		`{"client_secret":null,"session_id":null}`, `{"client_secret":""}`, `{"session_id":"\u0000"}`, `{"session_id":"\ud800"}`,
		`{"SESSION_ID":"s"}`, `{"session_id":"a","session_id":{}}`, `{"metadata":[]}`, `{"expires_at":1e308}`, `[]`, `{`, ``, "{}x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := parse(body)
		if err != nil {
			fail, ok := errors.AsType[*session.Failure](err)
			if !ok || fail.Reason != session.InvalidResponse || s.Secret != "" {
				t.Errorf("%q gives %v and a session %t", body, err, s.Secret != "")
			}
			return
		}
		if !json.Valid(body) {
			t.Errorf("took %q for JSON", body)
		}
		if s.Check(time.Now()) != nil {
			return
		}
		// What the chain serves can be written to a front end.
		if _, err := json.Marshal(map[string]any{
			"client_secret": s.Secret.Reveal(), "expires_at": s.ExpiresAt, "model": s.Model, "metadata": s.Metadata,
		}); err != nil {
			t.Errorf("%q gives a session that cannot be written: %v", body, err)
		}
	})
}
