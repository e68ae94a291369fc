package caddymodule

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ijson"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Whatever a client sends, the body is refused with a sentence or leaves a
// request a provider can be sent.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[]", "1", `"x"`, `{"model":"gpt"}`, `{"model":null,"metadata":null}`, `{"metadata":{"a":[1]}}`,
		`{"metadata":[]}`, `{"model":1}`, `{"currentClientSecret":"ek_1"}`, `{"token":"t","user":"mallory"}`,
		`{"workflow":{"id":"wf_1"},"scope":{"user_id":"u"}}`, `{"model":"a","model":"b"}`, "{\"model\":\"\xff\"}",
		strings.Repeat(`{"metadata":`, 20_000), " \n{}", "{}{}", `{"metadata":{"a":"\ud800"}}`, `{"Model":"a","model":"\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req session.Request
		if p := parseBody(body, &req); p != nil {
			if p.Status != http.StatusBadRequest || p.Details == "" {
				t.Errorf("refused with %+v", p)
			}
			return
		}
		if req.User != "" {
			t.Errorf("the body named the user %q", req.User)
		}
		if err := ijson.Check(body); err != nil && len(bytes.TrimSpace(body)) > 0 {
			t.Errorf("%v", err)
		}
		if len(req.Model) > 256 || strings.ContainsFunc(req.Model, unicode.IsControl) {
			t.Errorf("the model is %q", req.Model)
		}
		if m := req.Metadata; m != nil && (m[0] != '{' || !json.Valid(m)) {
			t.Errorf("metadata is %q", m)
		}
	})
}

// An origin the check lets through is one a browser can send.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.com", "https://*.example.com", "http://localhost:3000", "*", "null", "", "https://", "://", "https://*",
		"https://a.*.example.com", "https://example.com/", "https://user@example.com", "https://[::1]:8080", "https://exa mple.com",
		"https://app.example.com:443", "https://bücher.example", "https://*.bücher.example:8443", "HTTPS://APP.example.com", "https://{env.HOME}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		sent, err := parseOrigin(origin)
		if err != nil || strings.Contains(origin, "{") {
			return
		}
		concrete := strings.Replace(sent, "*.", "sub.", 1)
		u, err := url.Parse(concrete)
		if err != nil || u.Scheme+"://"+u.Host != concrete {
			t.Errorf("%q was let through", origin)
		}
		p, err := newCORS(&CORSConfig{Origins: []string{origin}})
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Method: http.MethodPost, Host: "elsewhere.test", Header: http.Header{"Origin": {concrete}}}
		if p.check(r) != nil {
			t.Errorf("%q does not let %q in", origin, concrete)
		}
		r.Header.Set("Origin", "https://evil.test")
		if sent != "https://evil.test" && sent != "https://*.test" && p.check(r) == nil {
			t.Errorf("%q lets evil.test in", origin)
		}
	})
}

// An id that is taken from a client can stand in a header and in a log line.
func FuzzRequestID(f *testing.F) {
	for _, seed := range []string{"", "abc", "a b", "a\nb", strings.Repeat("x", 129), "Ünïcode", `a"b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if saneID.MatchString(id) && (len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' })) {
			t.Errorf("%q was taken", id)
		}
	})
}
