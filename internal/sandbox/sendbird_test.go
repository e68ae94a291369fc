package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// sendbirdSite is a simulated Sendbird and a client with its token.
type sendbirdSite struct {
	t *testing.T
	*sandbox.Server
	c *http.Client
}

func newSendbird(t *testing.T, o sandbox.Options) *sendbirdSite {
	t.Helper()
	k := kind{name: "sendbird", start: sandbox.NewSendbird}
	return &sendbirdSite{t, k.run(t, o), newClient(t)}
}

// post sends a request with a header ("Name: value") changed.
func (s *sendbirdSite) post(path, body string, headers ...string) seen {
	s.t.Helper()
	r := newRequest(s.t.Context(), s.t, s.URL()+path, body)
	r.Header = http.Header{"Api-Token": {testKey}, "Content-Type": {"application/json; charset=utf8"}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return do(s.c, r)
}

func (s *sendbirdSite) create(user string) seen {
	s.t.Helper()
	return s.post("/v3/users", fmt.Sprintf(`{"user_id":%q,"nickname":"","profile_url":""}`, user))
}

// wantCode checks an error in Sendbird's format; code 0 means success.
func wantCode(t *testing.T, got seen, status, code int) {
	t.Helper()
	o := got.object(t)
	if code == 0 {
		if got.status != status || o["error"] != nil {
			t.Errorf("got %d %s, want %d", got.status, got.body, status)
		}
		return
	}
	if message, _ := o["message"].(string); got.status != status || text(o["code"]) != fmt.Sprint(code) || o["error"] != true || message == "" {
		t.Errorf("got %d %s, want %d and code %d", got.status, got.body, status, code)
	}
}

func TestSendbirdIssues(t *testing.T) {
	s := newSendbird(t, sandbox.Options{Key: testKey, Users: []string{"u1", "a/b@ü", ".."}, Deactivated: []string{"gone"}})
	soon := time.Now().Add(5 * time.Minute)
	for _, tc := range []struct {
		name, path, body string
		header           string
		status, code     int
	}{
		{"default end", "/v3/users/u1/token", "", "", 200, 0},
		{"end", "/v3/users/u1/token", fmt.Sprintf(`{"expires_at":%d}`, soon.UnixMilli()), "", 200, 0},
		{"escaped user", "/v3/users/a%2Fb%40%C3%BC/token", "{}", "", 200, 0},
		{"dots", "/v3/users/%2E%2E/token", "{}", "", 200, 0},
		{"end in seconds", "/v3/users/u1/token", fmt.Sprintf(`{"expires_at":%d}`, soon.Unix()), "", 400, 400111},
		{"end as text", "/v3/users/u1/token", `{"expires_at":"soon"}`, "", 400, 400101},
		{"no JSON", "/v3/users/u1/token", "x", "", 400, 400403},
		{"a list", "/v3/users/u1/token", "[]", "", 400, 400403},
		{"not labelled as JSON", "/v3/users/u1/token", "{}", "Content-Type: text/plain", 400, 400403},
		{"unknown user", "/v3/users/u2/token", "{}", "", 400, 400201},
		{"deactivated user", "/v3/users/gone/token", "{}", "", 400, 400300},
		{"long user", "/v3/users/" + strings.Repeat("x", 81) + "/token", "{}", "", 400, 400305},
		{"wrong token", "/v3/users/u1/token", "{}", "Api-Token: other", 400, 400401},
		{"no token", "/v3/users/u1/token", "{}", "Api-Token: ", 400, 400401},
		{"slash in the user", "/v3/users/a/b/token", "{}", "", 400, 400304},
		{"no user", "/v3/users//token", "{}", "", 400, 400304},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.Clear()
			var headers []string
			if tc.header != "" {
				headers = []string{tc.header}
			}
			got := s.post(tc.path, tc.body, headers...)
			wantCode(t, got, tc.status, tc.code)
			if tc.code != 0 {
				if len(s.Issued()) != 0 {
					t.Error("a token was issued")
				}
				return
			}
			o := got.object(t)
			if issued := s.Issued(); len(issued) != 1 || o["token"] != issued[0] || strings.Count(issued[0], ".") != 2 {
				t.Errorf("got %s, issued %q", got.body, issued)
			}
			if escaped := s.Requests()[0].Escaped; escaped != tc.path {
				t.Errorf("recorded %s, want %s", escaped, tc.path)
			}
			var ms int64
			if _, err := fmt.Sscan(text(o["expires_at"]), &ms); err != nil {
				t.Fatal(err)
			}
			want := time.Now().Add(sandbox.SendbirdLifetime)
			if tc.name == "end" {
				want = soon
			}
			if !near(time.UnixMilli(ms), want) {
				t.Errorf("ends at %s, want %s", time.UnixMilli(ms), want)
			}
		})
	}
}

func TestSendbirdCreates(t *testing.T) {
	s := newSendbird(t, sandbox.Options{Key: testKey, Deactivated: []string{"gone"}})
	wantCode(t, s.post("/v3/users/u1/token", "{}"), 400, 400201)
	wantCode(t, s.create("u1"), 200, 0)
	wantCode(t, s.create("u1"), 400, 400202)
	wantCode(t, s.create("gone"), 400, 400202)
	wantCode(t, s.create(strings.Repeat("ü", 80)), 200, 0)
	wantCode(t, s.create(strings.Repeat("ü", 81)), 400, 400305)
	wantCode(t, s.create(""), 400, 400111)
	wantCode(t, s.post("/v3/users", `{"user_id":"u2","nickname":""}`), 400, 400105)
	wantCode(t, s.post("/v3/users", `{"user_id":"u2","nickname":null,"profile_url":""}`), 400, 400100)
	wantCode(t, s.post("/v3/users", `{"user_id":7,"nickname":"","profile_url":""}`), 400, 400100)
	wantCode(t, s.post("/v3/users", `[]`), 400, 400403)
	s.Clear()
	wantCode(t, s.post("/v3/users/u1/token", "{}"), 200, 0)
}

// The faults look like Sendbird's own errors, and apply to both calls.
func TestSendbirdFaults(t *testing.T) {
	s := newSendbird(t, sandbox.Options{Key: testKey, Users: []string{"u1"}})
	for fault, want := range map[sandbox.Fault][2]int{
		sandbox.Status400: {400, 400111}, sandbox.Status401: {400, 400401}, sandbox.Status403: {400, 400300},
		sandbox.Status404: {400, 400304}, sandbox.Status409: {400, 400202}, sandbox.Status422: {400, 400105},
		sandbox.Status429: {429, 500910}, sandbox.Status429Bare: {429, 500910}, sandbox.Status500: {500, 500901},
	} {
		t.Run(string(fault), func(t *testing.T) {
			set(t, s.Server, fault)
			for _, got := range []seen{s.post("/v3/users/u1/token", "{}"), s.create("u9")} {
				wantCode(t, got, want[0], want[1])
				after := got.header.Get("X-RateLimit-RetryAfter")
				if (after != "") != (fault == sandbox.Status429) || got.header.Get("Retry-After") != "" {
					t.Errorf("got %v", got.header)
				}
			}
		})
	}
	for fault, ok := range map[sandbox.Fault]func(token any) bool{
		sandbox.EmptySecret: func(v any) bool { return v == "" },
		sandbox.Numeric:     func(v any) bool { return text(v) != "" && v != text(v) },
		sandbox.LongSecret:  func(v any) bool { return len(text(v)) == 9<<10 },
		sandbox.Empty:       func(v any) bool { return v == nil },
		sandbox.Slow:        func(v any) bool { return text(v) != "" },
	} {
		set(t, s.Server, fault)
		if got := s.post("/v3/users/u1/token", "{}"); got.status != 200 || !ok(got.object(t)["token"]) {
			t.Errorf("%s: got %d %.200s", fault, got.status, got.body)
		}
	}
	set(t, s.Server, sandbox.Status503)
	if got := s.post("/v3/users/u1/token", "{}"); got.status != 503 || !strings.Contains(got.body, "overloaded") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
