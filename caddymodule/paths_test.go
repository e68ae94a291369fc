package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The session path is asked as it is written, with its query and with placeholders
// replaced.
func TestSessionPath(t *testing.T) {
	t.Setenv("TEST_TENANT", "acme")
	t.Setenv("TEST_PATH", "/from/env?tenant=7")
	for _, tt := range []struct{ name, base, options, want string }{
		{"default", "", "", "/api/sessions"},
		{"path", "", "session_path /s", "/s"},
		{"slash at the end", "", "session_path /s/", "/s/"},
		{"below the base", "/base/", "session_path /s", "/base/s"},
		{"query", "", "session_path /api/sessions?tenant=1&x=a%20b", "/api/sessions?tenant=1&x=a%20b"},
		{"query below the base", "/base", "session_path /s?tenant=1", "/base/s?tenant=1"},
		{"query and the user in it", "", "session_path /s?tenant=1\nuser_in query", "/s?tenant=1&user_id=u"},
		{"percent", "", "session_path /a%2Fb%23c", "/a%2Fb%23c"},
		{"umlaut", "", "session_path /ü", "/%C3%BC"},
		{"placeholder", "", "session_path /{env.TEST_TENANT}/s?t={env.TEST_TENANT}", "/acme/s?t=acme"},
		{"all from a placeholder", "", "session_path {env.TEST_PATH}", "/from/env?tenant=7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backend := testsite.NewTaker(t, answerSession)
			s := newSite(t, headerUser+"\n provider backend "+backend.URL+tt.base+" {\n"+tt.options+"\n}")
			if got := s.Session("X-User: u"); got.Status != http.StatusOK {
				t.Fatalf("got %d %s", got.Status, got.Raw)
			}
			if got := backend.Only(t).RequestURI; got != tt.want {
				t.Errorf("the backend was asked %s, want %s", got, tt.want)
			}
		})
	}
}

// Placeholders in the paths of routes are replaced, here and at the backend.
func TestRoutePlaceholders(t *testing.T) {
	t.Setenv("TEST_TENANT", "acme")
	t.Setenv("TEST_PATH", "/from/env")
	for _, tt := range []struct{ name, routes, path, want string }{
		{"session", "session /{env.TEST_TENANT}/session", "/acme/session", "/api/sessions"},
		{"refresh", "refresh {env.TEST_PATH}", "/from/env", "/api/sessions"},
		{"message", "message /m/{env.TEST_TENANT} /up/{env.TEST_TENANT}", "/m/acme?a=b", "/up/acme?a=b"},
		{"stream", "stream {env.TEST_PATH} {env.TEST_PATH}/up", "/from/env", "/from/env/up"},
		{"percent at the backend", "stream /s /a%2Fb%3Fc", "/s", "/a%2Fb%3Fc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backend := testsite.NewTaker(t, answerSession)
			s := newSite(t, inFront(backend.URL, "")+"\n"+tt.routes)
			if got := s.Post(tt.path, ""); got.Status != http.StatusOK {
				t.Fatalf("got %d %s", got.Status, got.Raw)
			}
			if got := backend.Only(t).RequestURI; got != tt.want {
				t.Errorf("the backend was asked %s, want %s", got, tt.want)
			}
		})
	}
}

// {session} is no placeholder of Caddy's, and works beside those.
func TestWebSocketRoutePlaceholders(t *testing.T) {
	t.Setenv("TEST_TENANT", "acme")
	backend := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s := newSite(t, inFront(backend.URL, "")+"\n websocket /{env.TEST_TENANT}/ws/{session} /up/{session}/{env.TEST_TENANT}")
	s.Do(http.MethodGet, "/acme/ws/one", "", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	if got := backend.Only(t).RequestURI; got != "/up/one/acme" {
		t.Errorf("the backend was asked %s", got)
	}
}

// A path that could never work is refused when it is loaded, and the error names
// the option.
func TestPathRefusals(t *testing.T) {
	t.Setenv("TEST_BAD", "x#y")
	t.Setenv("TEST_BRACES", "/{env.TEST_BAD}")
	const backend = "provider backend http://127.0.0.1:1 {\n"
	for _, tt := range []struct{ block, want string }{
		{backend + "session_path /s#x\n}", `session_path: invalid path "/s#x"`},
		{backend + "session_path /s?a=%zz\n}", `session_path: invalid query in "/s?a=%zz"`},
		{backend + "session_path /%zz\n}", `session_path: invalid path "/%zz"`},
		{backend + "session_path http://other/s\n}", `session_path: "http://other/s" does not begin with a slash`},
		{backend + "session_path /{env.TEST_UNSET}\n}", "session_path: evaluated placeholder {env.TEST_UNSET}"},
		{backend + "session_path /{env.TEST_BAD}\n}", `session_path: invalid path "/{env.TEST_BAD}"`},
		{backend + "session_path /{nonsense}\n}", "session_path: unrecognized placeholder {nonsense}"},
		{backend + "}\nsession /s?x", `session path "/s?x": a query or a fragment is not allowed`},
		{backend + "}\nsession /{env.TEST_UNSET}", "session path: evaluated placeholder {env.TEST_UNSET}"},
		{backend + "}\nsession {env.TEST_BAD}", `session path "x#y" does not begin with a slash`},
		{backend + "}\nsession {env.TEST_BRACES}", `session path: {env.TEST_BRACES} has a placeholder in its value`},
		{backend + "}\nsession /{id}", "braces are not allowed"},
		{backend + "}\nsession /a/{env.HOME}/{session}", "braces are not allowed"},
		{backend + "}\nstream /s /up?a=b", `stream upstream path "/up?a=b": a query or a fragment is not allowed`},
		{backend + "}\nstream /s /up#a", `stream upstream path "/up#a": a query or a fragment is not allowed`},
		{backend + "}\nstream /s /%zz", `stream upstream path "/%zz": invalid URL escape "%zz"`},
		{backend + "}\nstream /s /up/{env.TEST_UNSET}", "stream upstream path: evaluated placeholder {env.TEST_UNSET}"},
		{backend + "}\nstream /s /up/{env.HOME}/{session}", "does not end in {session}"},
	} {
		s := newUnloadedSite(t)
		if err := s.TryLoad("\n anonymous\n " + tt.block); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.block[len(backend):], err, tt.want)
		}
	}
}
