package sendbird

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// says is a transport that always answers with this status and body.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), ContentLength: int64(len(s.body))}, nil
}

// Any answer becomes a session that can be written, or a failure that does not
// quote it and that can be classified.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"token":"t","expires_at":32503680000000}`, `{"token":7}`, `{"token":null}`, `{"TOKEN":"x"}`, `{"token":"\u0000"}`,
		`{"token":"\ud800","expires_at":1e308}`, `{"message":"m","code":400201,"error":true}`, `{"code":400401}`, `{"code":500910}`,
		`{"code":1e300}`, `{"code":-1}`, `{"code":"400201"}`, `[]`, `{`, ``, "{}x", "null", "<html>",
	} {
		for _, status := range []int{200, 400, 429, 500} {
			f.Add(status, body)
		}
	}
	shared := provision(f, "https://api.test", creating)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		p := *shared
		p.client.Transport = says{status, body}
		s, err := p.Create(t.Context(), &session.Request{User: "u1"})
		if err != nil {
			checkFailure(t, s, err)
			return
		}
		if status > 299 || !json.Valid([]byte(strings.TrimPrefix(body, "\ufeff"))) && !strings.HasPrefix(body, "\x1f\x8b") {
			t.Errorf("%d %q gives a session", status, body)
		}
		if s.Check(time.Now()) != nil {
			return
		}
		if _, err := json.Marshal(map[string]any{"token": s.Extra["token"].Reveal(), "expires_at": s.ExpiresAt}); err != nil {
			t.Errorf("%q gives a session that cannot be written: %v", body, err)
		}
	})
}

func checkFailure(t *testing.T, s session.Session, err error) {
	t.Helper()
	fail, ok := errors.AsType[*session.Failure](err)
	if !ok || s.Secret != "" {
		t.Fatalf("got %v and a session %t", err, s.Secret != "")
	}
	v := session.Classify(t.Context(), t.Context(), err, nil)
	rejected := v.Reason == session.Rejected
	if v.Reason == "" || (v.Effect == session.Excluded) != rejected || (rejected && (v.Status < 400 || v.Status > 499)) {
		t.Errorf("%v is %+v", fail, v)
	}
}

// Any user ID is one segment of the path and can be read back from it.
func FuzzTokenURL(f *testing.F) {
	for _, user := range []string{"u1", "a@b.c", "a/b", "..", ".", "%2F", "ü", "a b", "\xff", "?#", "", "a%zz"} {
		f.Add(user)
	}
	s := provision(f, "https://api.test/gw", nil)
	f.Fuzz(func(t *testing.T, user string) {
		u := s.tokenURL(user)
		sent, ok := strings.CutPrefix(u.RequestURI(), "/gw/v3/users/")
		sent, token := strings.CutSuffix(sent, "/token")
		got, err := url.PathUnescape(sent)
		if !ok || !token || err != nil || got != user || strings.ContainsAny(sent, "/?#;+") || sent == "." || sent == ".." {
			t.Errorf("%q goes to %q", user, u.RequestURI())
		}
	})
}
