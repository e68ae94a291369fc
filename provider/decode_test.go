package provider_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

type decoded struct {
	Secret string          `json:"client_secret"`
	Any    json.RawMessage `json:"metadata"`
	In     struct {
		N int `json:"n"`
	} `json:"in"`
}

func TestDecode(t *testing.T) {
	cases := []struct{ name, body, err string }{
		{"object", `{"client_secret":"s"}`, ""},
		{"empty object", `{}`, ""},
		{"white space around", " \r\n\t{ } \n", ""},
		{"unknown fields", `{"x":[1,2],"client_secret":"s"}`, ""},
		{"null field", `{"client_secret":null}`, ""},
		{"deep but not too deep", `{"metadata":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, ""},
		{"empty", "", "answer is empty"},
		{"white space", " \n\t\r ", "answer is empty"},
		{"null", "null", "answer is not a JSON object"},
		{"HTML", "<!doctype html><p>planted", "answer is not a JSON object"},
		{"text", "planted", "answer is not a JSON object"},
		{"list", `[{"client_secret":"planted"}]`, "answer is not a JSON object"},
		{"string", `"planted"`, "answer is not a JSON object"},
		{"number", "7", "answer is not a JSON object"},
		{"byte order mark", "\ufeff{}", "answer is not a JSON object"},
		{"gzip", "\x1f\x8b\x08", "answer is not a JSON object"},
		{"cut", `{"client_secret":"planted`, "answer is not valid JSON"},
		{"two objects", `{"client_secret":"planted"}{}`, "answer is not valid JSON"},
		{"something after it", `{} planted`, "answer is not valid JSON"},
		{"control character", "{\"client_secret\":\"planted\n\"}", "answer is not valid JSON"},
		{"20,000 brackets", `{"metadata":` + strings.Repeat("[", 20000), "answer is not valid JSON"},
		{"20,000 closed brackets", `{"metadata":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}", "answer is not valid JSON"},
		{"20,000 braces", strings.Repeat(`{"metadata":`, 20000), "answer is not valid JSON"},
		{"numeric secret", `{"client_secret":4711}`, "answer's client_secret is a number"},
		{"boolean secret", `{"client_secret":true}`, "answer's client_secret is a bool"},
		{"object for a secret", `{"client_secret":{"planted":1}}`, "answer's client_secret is a object"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var v decoded
			err := provider.Decode([]byte(c.body), &v)
			if c.err == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if f := failure(t, err); f.Reason != session.InvalidResponse || err.Error() != c.err {
				t.Errorf("got %q, want %q", err, c.err)
			}
		})
	}
}

// sentence is all that a decoding error may say: the names are our own.
var sentence = regexp.MustCompile(`^answer( is empty| is not a JSON object| is not valid JSON|'s (client_secret|in|in\.n) is a (string|number( [-+0-9.eE]+)?|bool|object|array))$`)

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"client_secret":"s"}`, `{"client_secret":1}`, `{"in":{"n":"x"}}`, `{"IN":{"N":1e99}}`, `{`, ``, `null`, `[]`, ` {}`, "{}x",
		`{"client_secret":"a","client_secret":null}`, `{"client_secret":"\ud800"}`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v decoded
		err := provider.Decode(body, &v)
		if err == nil {
			if !json.Valid(body) {
				t.Errorf("took %q for JSON", body)
			}
			return
		}
		if failure(t, err).Reason != session.InvalidResponse || !sentence.MatchString(err.Error()) {
			t.Errorf("%q gives the error %q", body, err)
		}
	})
}
