package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// backendOrders are requests and the expected results.
var backendOrders = []struct {
	name, query, body string
	status            int
	want              string // part of the answer
}{
	{"user in body", "", `{"user_id":"u1"}`, 200, `"model":"custom-v1"`},
	{"model is echoed", "", `{"user_id":"u1","model":"fast"}`, 200, `"model":"fast"`},
	{"nulls", "", `{"user_id":"u1","model":null,"metadata":null}`, 200, `"model":"custom-v1"`},
	{"metadata", "", `{"user_id":"u1","metadata":{"a":[1]}}`, 200, `"session_id":"session-`},
	{"unknown fields", "", `{"user_id":"u1","extra":1}`, 200, `"session_id"`},
	{"user in query", "?user_id=u1", "", 200, `"session_id"`},
	{"user in query, model in body", "?user_id=u1", `{"model":"fast"}`, 200, `"model":"fast"`},
	{"user in both", "?user_id=u1", `{"user_id":"u1"}`, 200, `"session_id"`},
	{"nothing", "", "", 422, `"loc":["query","user_id"],"msg":"Field required"`},
	{"empty query", "?user_id=", "", 422, `"loc":["query","user_id"]`},
	{"no user", "", `{"model":"fast"}`, 422, `{"type":"missing","loc":["body","user_id"],"msg":"Field required","input":{"model":"fast"}}`},
	{"wrong case", "", `{"User_ID":"u1"}`, 422, `"type":"missing"`},
	{"empty user", "", `{"user_id":""}`, 422, `"type":"string_too_short"`},
	{"null user", "", `{"user_id":null}`, 422, `"type":"string_type"`},
	{"numeric user", "", `{"user_id":5}`, 422, `"type":"string_type","loc":["body","user_id"],"msg":"Input should be a valid string","input":5`},
	{"numeric model", "", `{"user_id":"u1","model":5}`, 422, `"loc":["body","model"]`},
	{"scalar metadata", "", `{"user_id":"u1","metadata":"x"}`, 422, `"type":"dict_type"`},
	{"null", "", `null`, 422, `"type":"missing"`},
	{"array", "", `[1]`, 422, `"type":"model_attributes_type"`},
	{"broken", "", `{"user_id":`, 422, `"type":"json_invalid"`},
	{"not JSON", "", `user_id=u1`, 422, `"type":"json_invalid"`},
	{"too deep", "", strings.Repeat("[", 20_000), 422, `"detail"`},
}

func TestBackendRequests(t *testing.T) {
	s, c := kinds[0].run(t, sandbox.Options{Key: testKey}), newClient(t)
	for _, tc := range backendOrders {
		t.Run(tc.name, func(t *testing.T) {
			got := do(c, newRequest(t.Context(), t, s.URL()+backendPath+tc.query, tc.body))
			if got.status != tc.status || !strings.Contains(got.body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", got.status, got.body, tc.status, tc.want)
			}
			if o := got.object(t); tc.status == 200 && len(o) != 3 {
				t.Errorf("answer has other fields: %s", got.body)
			}
		})
	}
}

func TestBackendKey(t *testing.T) {
	cases := []struct {
		name, key, authorization string
		status                   int
	}{
		{"right", testKey, "Bearer " + testKey, 200},
		{"lower case scheme", testKey, "bearer " + testKey, 200},
		{"wrong", testKey, "Bearer other", 401},
		{"other scheme", testKey, "Basic " + testKey, 401},
		{"none", testKey, "", 401},
		{"any", "", "Bearer other", 200},
		{"none wanted, none sent", "", "", 200},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s, c := kinds[0].run(t, sandbox.Options{Key: tc.key}), newClient(t)
			r := newRequest(t.Context(), t, s.URL()+backendPath, backendBody)
			r.Header.Del("Authorization")
			if tc.authorization != "" {
				r.Header.Set("Authorization", tc.authorization)
			}
			if got := do(c, r); got.status != tc.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tc.status)
			}
		})
	}
}

func TestBackendLifetime(t *testing.T) {
	s, c := kinds[0].run(t, sandbox.Options{Lifetime: 5 * time.Minute}), newClient(t)
	o := kinds[0].ask(t, c, s).object(t)
	if at := expiry(t, o["expires_at"]); !near(at, time.Now().Add(5*time.Minute)) {
		t.Errorf("expires at %v", at)
	}
}
