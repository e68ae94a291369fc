package backend

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// padded returns a valid answer of exactly n bytes.
func padded(n int) string {
	const head, tail = `{"session_id":"s1","metadata":{"pad":"`, `"}}`
	return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
}

func TestAnswerAccepted(t *testing.T) {
	cases := []struct{ name, answer, secret, model, metadata string }{
		{"session_id", `{"session_id":"s1"}`, "s1", "", ""},
		{"client_secret", `{"client_secret":"c1"}`, "c1", "", ""},
		{"client_secret beats session_id", `{"session_id":"s1","client_secret":"c1"}`, "c1", "", ""},
		{"whatever the order", `{"client_secret":"c1","session_id":"s1"}`, "c1", "", ""},
		{"null client_secret", `{"client_secret":null,"session_id":"s1"}`, "s1", "", ""},
		{"null session_id", `{"client_secret":"c1","session_id":null}`, "c1", "", ""},
		{"the whole of it", `{"session_id":"s1","model":"m1","metadata":{"a":[1]}}`, "s1", "m1", `{"a":[1]}`},
		{"null for the rest", `{"session_id":"s1","model":null,"metadata":null,"expires_at":null}`, "s1", "", ""},
		{"other types for the rest", `{"session_id":"s1","model":7,"metadata":[1],"expires_at":{}}`, "s1", "", ""},
		{"text for metadata", `{"session_id":"s1","metadata":"x"}`, "s1", "", ""},
		{"the last of two", `{"session_id":"s1","session_id":"s2"}`, "s2", "", ""},
		{"unknown fields", `{"session_id":"s1","id":7,"user":{"x":1}}`, "s1", "", ""},
		{"white space around", " \r\n{\"session_id\" : \"s1\"}\n", "s1", "", ""},
		{"escapes", `{"session_id":"\u0073\u0031"}`, "s1", "", ""},
		{"umlauts", `{"session_id":"schlüssel"}`, "schlüssel", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := create(t, start(t, c.answer).provider(t, nil), session.Request{User: "u1"})
			if err != nil {
				t.Fatal(err)
			}
			if got.Secret.Reveal() != c.secret || got.Model != c.model || string(got.Metadata) != c.metadata || !got.ExpiresAt.IsZero() {
				t.Errorf("got %q %+v", got.Secret.Reveal(), got)
			}
		})
	}
}

// A genuine secret was once dropped because the ID beside it was a number.
func TestAnswerWithANumericSessionIDBesideItsSecret(t *testing.T) {
	for _, id := range []string{"4711", "true", `{"n":1}`, `[1]`, `""`} {
		answer := `{"client_secret":"ek_1","session_id":` + id + `}`
		got, err := create(t, start(t, answer).provider(t, nil), session.Request{User: "u1"})
		if err != nil || got.Secret.Reveal() != "ek_1" {
			t.Errorf("%s: got %q, %v", answer, got.Secret.Reveal(), err)
		}
	}
}

// An empty secret does not hide the session's ID either.
func TestAnswerWithAnEmptySecretBesideItsSessionID(t *testing.T) {
	got, err := create(t, start(t, `{"client_secret":"","session_id":"s1"}`).provider(t, nil), session.Request{User: "u1"})
	if err != nil || got.Secret.Reveal() != "s1" {
		t.Errorf("got %q, %v", got.Secret.Reveal(), err)
	}
}

func TestAnswerRefused(t *testing.T) {
	past := time.Now().Add(-time.Minute)
	cases := map[string]string{
		"empty": "", "white space": " \n", "HTML": "<html>planted</html>", "null": "null", "empty object": "{}", "list": `["planted"]`,
		"string": `"planted"`, "number": "7", "true": "true", "cut": `{"session_id":"planted`, "two": good + good,
		"no secret": `{"model":"m1"}`, "empty secret": `{"session_id":""}`, "both empty": `{"session_id":"","client_secret":""}`,
		"both null": `{"session_id":null,"client_secret":null}`, "numeric secret": `{"session_id":4711}`,
		"boolean secret": `{"session_id":true}`, "object for a secret": `{"session_id":{"planted":1}}`,
		"list for a secret": `{"session_id":["planted"]}`, "numeric client_secret": `{"client_secret":4711,"session_id":"planted"}`,
		"control character": `{"session_id":"planted\u0000"}`, "line break": `{"session_id":"planted\r\nX-Evil: 1"}`,
		"raw control character": "{\"session_id\":\"planted\n\"}",
		"too long":              `{"session_id":"` + strings.Repeat("x", session.MaxSecret+1) + `"}`,
		"too large":             padded(provider.MaxAnswer + 1), "far too large": padded(8 << 20),
		"20,000 brackets":         `{"session_id":"planted","metadata":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}",
		"expired":                 `{"session_id":"planted","expires_at":"` + past.Format(time.RFC3339) + `"}`,
		"expired without a colon": `{"session_id":"planted","expires_at":"` + past.Format("2006-01-02T15:04:05-0700") + `"}`,
		"expired in seconds":      fmt.Sprintf(`{"session_id":"planted","expires_at":%d}`, past.Unix()),
		"expired in milliseconds": fmt.Sprintf(`{"session_id":"planted","expires_at":%d}`, past.UnixMilli()),
		"error with a 200":        `{"error":"planted"}`,
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := create(t, start(t, answer).provider(t, nil), session.Request{User: "u1"})
			if r := reason(t, err); r != session.InvalidResponse {
				t.Errorf("got reason %s", r)
			}
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error repeats the answer: %v", err)
			}
		})
	}
}

func TestAnswerAtItsBounds(t *testing.T) {
	for name, answer := range map[string]string{
		"longest secret":  `{"session_id":"` + strings.Repeat("x", session.MaxSecret) + `"}`,
		"largest answer":  padded(provider.MaxAnswer),
		"deep metadata":   `{"session_id":"s1","metadata":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5001),
		"longest in utf8": `{"session_id":"` + strings.Repeat("ü", session.MaxSecret/2) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := create(t, start(t, answer).provider(t, nil), session.Request{User: "u1"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnswerExpiresAt(t *testing.T) {
	at := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	quote := func(layout string) string { return `"` + at.Format(layout) + `"` }
	forms := map[string]string{
		"RFC 3339": quote(time.RFC3339), "offset": `"` + at.In(time.FixedZone("", 3600)).Format(time.RFC3339) + `"`,
		"isoformat": quote("2006-01-02T15:04:05"), "isoformat with microseconds": quote("2006-01-02T15:04:05.000000"),
		"toISOString": quote("2006-01-02T15:04:05.000Z"), "without a colon": quote("2006-01-02T15:04:05-0700"),
		"with a space": quote("2006-01-02 15:04:05"), "seconds": fmt.Sprint(at.Unix()), "milliseconds": fmt.Sprint(at.UnixMilli()),
		"seconds as text": fmt.Sprintf("%q", fmt.Sprint(at.Unix())), "fraction": fmt.Sprintf("%d.0", at.Unix()),
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			s := start(t, `{"session_id":"s1","expires_at":`+form+`}`)
			got, err := create(t, s.provider(t, nil), session.Request{User: "u1"})
			if err != nil || !got.ExpiresAt.Equal(at) {
				t.Errorf("%s: got %s, want %s, error: %v", form, got.ExpiresAt, at, err)
			}
		})
	}
}

// The parser accepts only an object of the answer.
func TestAnswerMetadataIsAnObject(t *testing.T) {
	s := start(t, `{"session_id":"s1","metadata":  {"a" : 1}  }`)
	got, err := create(t, s.provider(t, nil), session.Request{User: "u1"})
	var m map[string]int
	if err != nil || json.Unmarshal(got.Metadata, &m) != nil || m["a"] != 1 {
		t.Errorf("got %s, %v", got.Metadata, err)
	}
}
