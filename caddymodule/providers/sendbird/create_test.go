package sendbird

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestCreateSends(t *testing.T) {
	client := http.Header{"Cookie": {"sid=1"}, "Api-Token": {"evil"}, "Authorization": {"Bearer caller"}, "Content-Type": {"text/plain"}}
	for name, ttl := range map[string]time.Duration{"default": 0, "shortest": time.Second, "longest": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := start(t, good)
			before := time.Now()
			p := s.provider(t, "/", func(s *Sendbird) { s.TTL = caddy.Duration(ttl) })
			if _, err := create(t, p, session.Request{User: "u1", Model: "m", Metadata: json.RawMessage(`{}`), ID: "r1", Header: client}); err != nil {
				t.Fatal(err)
			}
			s.wantAsked(t, issuePath)
			r := s.asked[0]
			var body map[string]int64
			if err := json.Unmarshal([]byte(r.body), &body); err != nil || len(body) != 1 {
				t.Fatalf("sent %s, %v", r.body, err)
			}
			if ttl == 0 {
				ttl = 10 * time.Minute
			}
			if end := time.UnixMilli(body["expires_at"]); end.Before(before.Add(ttl).Truncate(time.Millisecond)) || end.After(time.Now().Add(ttl)) {
				t.Errorf("asked for an end at %s, want in %s", end, ttl)
			}
			r.header.Del("Content-Length")
			want := http.Header{
				"Accept": {"application/json"}, "Content-Type": {"application/json; charset=utf8"},
				"User-Agent": {"caddy-chatkit"}, "Api-Token": {"planted-token"}, "X-Request-Id": {"r1"},
			}
			if r.method != http.MethodPost || !reflect.DeepEqual(r.header, want) {
				t.Errorf("sent %s %v, want POST %v", r.method, r.header, want)
			}
		})
	}
}

// The path on the wire: one segment for the user, whatever the ID.
func TestCreateEscapesTheUser(t *testing.T) {
	for user, want := range map[string]string{
		"u1":                 "u1",
		"a.b-c_d~e":          "a.b-c_d~e",
		"ann@example.com":    "ann%40example.com",
		"ann+x@example.com":  "ann%2Bx%40example.com",
		"a b":                "a%20b",
		"a/b":                "a%2Fb",
		"../../admin":        "..%2F..%2Fadmin",
		"a%2Fb":              "a%252Fb",
		"%":                  "%25",
		"Jürgen Größe 😀":     "J%C3%BCrgen%20Gr%C3%B6%C3%9Fe%20%F0%9F%98%80",
		".":                  "%2E",
		"..":                 "%2E%2E",
		"...":                "...",
		"a?b#c;d=e&f":        "a%3Fb%23c%3Bd%3De%26f",
		"{env.SECRET}":       "%7Benv.SECRET%7D",
		"a\r\nX-Evil: 1":     "a%0D%0AX-Evil%3A%201",
		"half a rune \xc3":   "half%20a%20rune%20%C3",
		"*!'()":              "%2A%21%27%28%29",
		"//":                 "%2F%2F",
		`back\slash`:         "back%5Cslash",
		"tenant:42,u=[7]|$x": "tenant%3A42%2Cu%3D%5B7%5D%7C%24x",
	} {
		t.Run(user, func(t *testing.T) {
			s := start(t, good)
			if _, err := create(t, s.provider(t, "/", nil), session.Request{User: user}); err != nil {
				t.Fatal(err)
			}
			s.wantAsked(t, "/v3/users/"+want+"/token")
			segment := strings.Split(s.asked[0].uri, "/")[3]
			if got, err := url.PathUnescape(segment); err != nil || got != user {
				t.Errorf("read back as %q, %v", got, err)
			}
		})
	}
}

// Every byte, one by one: net/http must send the path as escaped here.
func TestCreateEscapesEveryByte(t *testing.T) {
	s := start(t, good)
	p := s.provider(t, "/", nil)
	for b := range 256 {
		user := string([]byte{byte(b)})
		if _, err := create(t, p, session.Request{User: user}); err != nil {
			t.Fatal(err)
		}
		uri := s.asked[len(s.asked)-1].uri
		parts := strings.Split(uri, "/")
		if len(parts) != 5 || parts[4] != "token" {
			t.Errorf("byte %#x: asked %q", b, uri)
			continue
		}
		if got, err := url.PathUnescape(parts[3]); err != nil || got != user {
			t.Errorf("byte %#x: read back as %q, %v", b, got, err)
		}
	}
}

func TestCreateBelowItsBaseURL(t *testing.T) {
	for base, want := range map[string]string{
		"/": "/v3/users/a%2Fb/token", "/gw": "/gw/v3/users/a%2Fb/token", "/gw/": "/gw/v3/users/a%2Fb/token",
		"/g%2Fw": "/g%2Fw/v3/users/a%2Fb/token",
	} {
		t.Run(base, func(t *testing.T) {
			s := start(t, good)
			if _, err := create(t, s.provider(t, base, nil), session.Request{User: "a/b"}); err != nil {
				t.Fatal(err)
			}
			s.wantAsked(t, want)
		})
	}
}

func TestDefaultHost(t *testing.T) {
	s := provision(t, "", nil)
	if got, want := s.tokenURL("u1").String(), "https://api-app-1.sendbird.com/v3/users/u1/token"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A user that Sendbird does not know, and how many requests that takes.
func TestCreateUsers(t *testing.T) {
	failed := reply{status: 500, body: `{"code":500901,"error":true}`}
	cases := []struct {
		name    string
		change  func(*Sendbird)
		replies []reply
		asked   []string
		reason  session.Reason
		next    bool
	}{
		{"known", creating, []reply{good}, []string{issuePath}, "", false},
		{"unknown, not to be created", nil, []reply{notFound}, []string{issuePath}, session.Rejected, false},
		{"unknown", creating, []reply{notFound, userMade, good}, []string{issuePath, createPath, issuePath}, "", false},
		{"created by somebody else", creating, []reply{notFound, userThere, good}, []string{issuePath, createPath, issuePath}, "", false},
		{"creating fails", creating, []reply{notFound, failed}, []string{issuePath, createPath}, session.Status5xx, true},
		{
			"creating is refused", creating, []reply{notFound, {status: 400, body: `{"code":400305}`}},
			[]string{issuePath, createPath}, session.Rejected, false,
		},
		{
			"creating is over the quota", creating, []reply{notFound, {status: 400, body: `{"code":400306}`}},
			[]string{issuePath, createPath}, session.Misconfigured, true,
		},
		{
			"creating is rate limited", creating, []reply{notFound, {status: 429, body: `{"code":500910}`}},
			[]string{issuePath, createPath}, session.Status429, true,
		},
		{"still unknown", creating, []reply{notFound, userMade, notFound}, []string{issuePath, createPath, issuePath}, session.InvalidResponse, true},
		{"issuing again fails", creating, []reply{notFound, userMade, failed}, []string{issuePath, createPath, issuePath}, session.Status5xx, true},
		{"deactivated", creating, []reply{{status: 400, body: `{"code":400300}`}}, []string{issuePath}, session.Rejected, false},
		{"deleted", creating, []reply{{status: 400, body: `{"code":400301}`}}, []string{issuePath}, session.Rejected, false},
		{"not found by status", creating, []reply{{status: 404, body: "no such page"}}, []string{issuePath}, session.Misconfigured, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.replies...)
			got, err := create(t, s.provider(t, "/", c.change), session.Request{User: "u1", ID: "r1"})
			s.wantAsked(t, c.asked...)
			for _, r := range s.asked {
				if r.header.Get("Api-Token") != "planted-token" || r.header.Get("X-Request-Id") != "r1" {
					t.Errorf("%s was asked with %v", r.uri, r.header)
				}
				if r.uri == createPath && r.body != `{"user_id":"u1","nickname":"","profile_url":""}` {
					t.Errorf("created %s", r.body)
				}
			}
			if c.reason == "" {
				if err != nil || got.Secret.Reveal() != "tok-1" {
					t.Errorf("got %q, %v", got.Secret.Reveal(), err)
				}
				return
			}
			if v := verdict(t, err); v.Reason != c.reason || v.Next != c.next {
				t.Errorf("got %+v, want %s", v, c.reason)
			}
		})
	}
}

// All requests of an attempt share its time limit.
func TestCreateSharesOneTimeout(t *testing.T) {
	for hangs, replies := range map[string][]reply{
		"issuing": nil, "creating": {notFound}, "issuing again": {notFound, userMade},
	} {
		t.Run(hangs, func(t *testing.T) { testHang(t, replies) })
	}
}
