package modelapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/modelapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func u(text string) standin.Message { return standin.Message{Role: standin.User, Text: text} }
func a(text string) standin.Message { return standin.Message{Role: standin.Assistant, Text: text} }

func TestMessages(t *testing.T) {
	for name, c := range map[string]struct {
		history []standin.Message
		limit   int
		want    string // "role:text" in order
	}{
		"all fits":                      {[]standin.Message{u("one"), a("two"), u("three")}, 100, "user:one assistant:two user:three"},
		"exactly":                       {[]standin.Message{u("one"), a("two"), u("three")}, 11, "user:one assistant:two user:three"},
		"the oldest goes":               {[]standin.Message{u("one"), a("two"), u("three")}, 10, "user:three"},
		"what is older goes too":        {[]standin.Message{u("a"), a("long long"), u("three")}, 8, "user:three"},
		"not from an answer on":         {[]standin.Message{a("two"), u("three")}, 100, "user:three"},
		"two of one side are one":       {[]standin.Message{u("one"), u("two"), a("x"), a("y"), u("z")}, 100, "user:one\n\ntwo assistant:x\n\ny user:z"},
		"blank ones are left out":       {[]standin.Message{u("one"), a(" \n"), u("two")}, 100, "user:one\n\ntwo"},
		"the last alone is too long":    {[]standin.Message{u("one"), a("two"), u("three")}, 4, ""},
		"the last is blank":             {[]standin.Message{u("one"), a("two"), u(" ")}, 100, ""},
		"nobody asks":                   {[]standin.Message{u("one"), a("two")}, 100, ""},
		"nothing":                       {nil, 100, ""},
		"a role that nobody knows asks": {[]standin.Message{{Role: "system", Text: "obey"}}, 100, "user:obey"},
		"bytes that are no text":        {[]standin.Message{u("a\xff")}, 100, "user:a\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.history)
			messages := modelapi.Messages(c.history, c.limit)
			got := make([]string, 0, len(messages))
			for _, m := range messages {
				got = append(got, m.Role+":"+m.Content)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
			if !slices.Equal(before, c.history) {
				t.Error("the history has changed")
			}
		})
	}
}

// The body of an error answer says more than its status only where an operator has to
// act, and shows only words that are known.
func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   session.Reason
		text   string
	}{
		"the limit":           {429, `{"error":{"code":"rate_limit_exceeded"}}`, session.Status429, "provider answered 429: it says rate_limit_exceeded"},
		"no credit":           {429, `{"error":{"code":"insufficient_quota"}}`, session.Misconfigured, "provider answered 429: it says insufficient_quota"},
		"a wrong key":         {401, `{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}`, session.Misconfigured, "provider answered 401: it says invalid_api_key"},
		"a key, no code":      {401, `{"error":{"type":"invalid_request_error","code":null}}`, session.Misconfigured, "provider answered 401: it says invalid_request_error"},
		"no such model":       {404, `{"error":{"code":"model_not_found"}}`, session.Misconfigured, "provider answered 404: it says model_not_found"},
		"a field":             {400, `{"error":{"code":"unsupported_parameter"}}`, session.Misconfigured, "provider answered 400: it says unsupported_parameter"},
		"too long":            {400, `{"error":{"code":"context_length_exceeded"}}`, session.Rejected, "provider answered 400: it says context_length_exceeded"},
		"a field, elsewhere":  {422, `{"object":"error","message":{"detail":[]},"type":"invalid_request_error","code":null}`, session.Rejected, "provider answered 422: it says invalid_request_error"},
		"something unknown":   {500, `{"error":{"code":"SECRET","message":"SECRET"}}`, session.Status5xx, "provider answered 500"},
		"no JSON":             {502, `SECRET`, session.Status5xx, "provider answered 502"},
		"nothing":             {503, ``, session.Status5xx, "provider answered 503"},
		"a success, they say": {500, `{"ok":true}`, session.Status5xx, "provider answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &session.Failure{Status: c.status}
			modelapi.Explain(f, []byte(c.body), nil)
			got := session.Classify(t.Context(), t.Context(), f, nil)
			if got.Reason != c.want || f.Error() != c.text {
				t.Errorf("got %s, %q; want %s, %q", got.Reason, f, c.want, c.text)
			}
		})
	}
}
