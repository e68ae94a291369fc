package caddymodule

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
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
		`{"MODEL":"a","model":null}`, `{"model" : "a\"}" ,"x":[{"token":1}],"to\u006ben":"t\n","metadata" : {"a":"}"} }`, `{"to\u212aen":"t"}`,
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
		var want struct {
			Model    string          `json:"model"`
			Metadata json.RawMessage `json:"metadata"`
			Current  string          `json:"currentClientSecret"`
			Token    string          `json:"token"`
		}
		if err := json.Unmarshal(body, &want); err != nil && len(bytes.TrimSpace(body)) > 0 {
			t.Errorf("encoding/json refuses it: %v", err)
		}
		if string(want.Metadata) == "null" {
			want.Metadata = nil
		}
		if req.Model != want.Model || req.Current.Reveal() != cmp.Or(want.Current, want.Token) || !bytes.Equal(req.Metadata, want.Metadata) {
			t.Errorf("encoding/json reads %+v", want)
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
