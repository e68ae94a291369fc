package backend

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

var users = []string{
	"u1", `o"brien`, "two words", "a&b=c", "jürgen", "日本", "a+b", "50%", "<b>", `back\slash`, "me@example.com", "../x", "a;b", "#", "😀",
}

func TestCreateSendsTheUser(t *testing.T) {
	cases := []struct {
		in          string
		body, query bool
	}{
		{"body", true, false},
		{"query", false, true},
		{"both", true, true},
	}
	for _, c := range cases {
		s := start(t, good)
		b := s.provider(t, func(b *Backend) { b.UserIn = c.in })
		for _, user := range users {
			t.Run(c.in+" "+user, func(t *testing.T) {
				if _, err := create(t, b, session.Request{User: user}); err != nil {
					t.Fatal(err)
				}
				q := s.req.URL.Query()
				if got := q.Get("user_id"); q.Has("user_id") != c.query || c.query && got != user {
					t.Errorf("query is %q", s.req.URL.RawQuery)
				}
				if q.Get("v") != "1" || len(q) > 2 {
					t.Errorf("query is %q", s.req.URL.RawQuery)
				}
				sent := s.sent(t)
				if _, ok := sent["user_id"]; ok != c.body || c.body && text(t, sent["user_id"]) != user {
					t.Errorf("body is %s", s.body)
				}
			})
		}
	}
}

func TestCreateSendsTheRequest(t *testing.T) {
	cases := []struct {
		name string
		req  session.Request
		want string
	}{
		{"user", session.Request{User: "u1"}, `{"user_id":"u1"}`},
		{"model", session.Request{User: "u1", Model: `m"1`}, `{"user_id":"u1","model":"m\"1"}`},
		{
			"metadata", session.Request{User: "u1", Metadata: json.RawMessage(`{"b":[1,{"c":null}]}`)},
			`{"user_id":"u1","metadata":{"b":[1,{"c":null}]}}`,
		},
		{"nothing else", session.Request{User: "u1", Current: "planted", ID: "r1"}, `{"user_id":"u1"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, good)
			if _, err := create(t, s.provider(t, nil), c.req); err != nil {
				t.Fatal(err)
			}
			if s.req.Method != http.MethodPost || s.req.URL.Path != "/api/sessions" || s.asked != 1 {
				t.Errorf("asked %d times, last %s %s", s.asked, s.req.Method, s.req.URL)
			}
			var got, want any
			_, _ = json.Unmarshal(s.body, &got), json.Unmarshal([]byte(c.want), &want)
			if !reflect.DeepEqual(got, want) || s.req.ContentLength != int64(len(s.body)) {
				t.Errorf("sent %s, want %s", s.body, c.want)
			}
		})
	}
}

// client are the headers that a browser sends.
func client() http.Header {
	return http.Header{
		"Cookie": {"sid=1"}, "Origin": {"https://app.test"}, "Authorization": {"Bearer caller"}, "X-Forwarded-For": {"10.0.0.1"},
		"Referer": {"https://app.test/chat"}, "User-Agent": {"Mozilla"}, "Content-Type": {"text/plain"}, "Accept-Encoding": {"br"},
		"X-Auth-Token": {"t1", "t2"}, "X-Request-Id": {"client's"}, "Host": {"evil.test"},
	}
}

func TestCreateSendsMetadataAsItIs(t *testing.T) {
	s := start(t, good)
	req := session.Request{User: "u1", Metadata: json.RawMessage("{ \"b\":\"<\\u00e4&>\", \"a\":1.50e3\n}")}
	if _, err := create(t, s.provider(t, nil), req); err != nil {
		t.Fatal(err)
	}
	if want := `{"user_id":"u1","metadata":{"b":"<\u00e4&>","a":1.50e3}}`; string(s.body) != want {
		t.Errorf("sent %s, want %s", s.body, want)
	}
}

func TestCreateHeaders(t *testing.T) {
	always := http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"caddy-chatkit"},
		"Authorization": {"Bearer key-1"}, "X-Request-Id": {"r1"},
	}
	with := func(name string, values ...string) http.Header {
		h := always.Clone()
		h[name] = values
		if values == nil {
			delete(h, name)
		}
		return h
	}
	cases := []struct {
		name   string
		change func(*Backend)
		id     string
		want   http.Header
	}{
		{"only ours", nil, "r1", always},
		{"without an id", nil, "", with("X-Request-Id")},
		{"without a key", func(b *Backend) { b.Key = "" }, "r1", with("Authorization")},
		{"one passed on", func(b *Backend) { b.ForwardHeaders = []string{"x-auth-token"} }, "r1", with("X-Auth-Token", "t1", "t2")},
		{"one the client did not send", func(b *Backend) { b.ForwardHeaders = []string{"X-Custom-Auth"} }, "r1", always},
		{
			"the caller's own authorization",
			func(b *Backend) { b.Key, b.ForwardHeaders = "", []string{"AUTHORIZATION"} }, "r1", with("Authorization", "Bearer caller"),
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, good)
			h := client()
			if _, err := create(t, s.provider(t, c.change), session.Request{User: "u1", ID: c.id, Header: h}); err != nil {
				t.Fatal(err)
			}
			got := s.req.Header.Clone()
			got.Del("Content-Length")
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("sent %v, want %v", got, c.want)
			}
			if s.req.Host == "evil.test" {
				t.Error("sent the client's host")
			}
			if !reflect.DeepEqual(h, client()) {
				t.Errorf("the client's header became %v", h)
			}
		})
	}
}

// A 401 is the caller's fault where the caller's credentials are forwarded, also if
// the caller left them out.
func TestCreateRefused(t *testing.T) {
	cases := []struct {
		name    string
		forward []string
		header  http.Header
		status  int
		want    session.Reason
	}{
		{"our own key", nil, client(), 401, session.Misconfigured},
		{"the caller's token", []string{"X-Auth-Token"}, client(), 401, session.Rejected},
		{"the caller's token, forbidden", []string{"X-Auth-Token"}, client(), 403, session.Rejected},
		{"a token the caller did not send", []string{"X-Auth-Token"}, http.Header{}, 401, session.Rejected},
		{"no header at all", []string{"X-Auth-Token"}, nil, 401, session.Rejected},
		{"wrong path", nil, nil, 404, session.Misconfigured},
		{"FastAPI's wrong shape", nil, nil, 422, session.Rejected},
		{"outage", nil, nil, 503, session.Status5xx},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, `{"error":"planted","session_id":"s1"}`)
			s.status = c.status
			b := s.provider(t, func(b *Backend) { b.ForwardHeaders = c.forward })
			got, err := create(t, b, session.Request{User: "u1", Header: c.header})
			if r := reason(t, err); r != c.want || got.Secret != "" || s.asked != 1 {
				t.Errorf("reason %s, session %+v, asked %d times", r, got, s.asked)
			}
			if f, ok := errors.AsType[*session.Failure](err); !ok || f.KeyLimit {
				t.Errorf("%v is about everybody's limit", err)
			}
		})
	}
}

// One backend serves concurrent requests: they must not change its list of
// headers or its URL.
func TestCreateLeavesTheConfigurationAlone(t *testing.T) {
	s := start(t, good)
	forward := []string{"x-auth-token"}
	b := s.provider(t, func(b *Backend) { b.ForwardHeaders, b.UserIn = forward, "both" })
	for _, user := range []string{"u1", "u2"} {
		if _, err := create(t, b, session.Request{User: user, Header: client()}); err != nil {
			t.Fatal(err)
		}
		if got := s.req.URL.Query()["user_id"]; !slices.Equal(got, []string{user}) {
			t.Errorf("asked for %q, want %q", got, user)
		}
	}
	if forward[0] != "x-auth-token" {
		t.Errorf("the list became %q", forward)
	}
}
