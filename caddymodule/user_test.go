package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// hiccup is the password "hiccup" as basic_auth wants it, at the least cost.
const hiccup = "$2a$04$Xr9tyBP/rYvfDLlvZc8e.OuQ50d0nw3Tk5/MqPVxrzzzChNxMbmVK"

// sentUser is the user the backend was asked for last, and that it was the one
// thing it was asked.
func sentUser(s *site) string {
	s.T.Helper()
	requests := s.Backend.Requests()
	if len(requests) == 0 {
		s.T.Fatal("the backend was not asked")
	}
	var body struct {
		UserID string `json:"user_id"`
	}
	if err := json.Unmarshal(requests[len(requests)-1].Body, &body); err != nil {
		s.T.Fatal(err)
	}
	return body.UserID
}

// The default user is the one who has logged in to Caddy.
func TestUserOfBasicAuth(t *testing.T) {
	s := newSiteBehind(t, "basic_auth {\n hans.müller@example.com "+hiccup+"\n }", quick(""))
	r, err := http.NewRequest(http.MethodPost, s.URL+"/api/custom/session", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Session(); a.Status != http.StatusUnauthorized || a.Header.Get("Www-Authenticate") == "" {
		t.Errorf("got %d without a password, want basic_auth's 401", a.Status)
	}
	r.SetBasicAuth("hans.müller@example.com", "hiccup")
	a := s.Post("/api/custom/session", "", "Authorization: "+r.Header.Get("Authorization"))
	if a.Status != http.StatusOK || a.Provider() != "backend" {
		t.Fatalf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
	}
	if got := sentUser(s); got != "hans.müller@example.com" {
		t.Errorf("the backend was asked for %q", got)
	}
	if got := s.Backend.Requests()[0].Header.Get("Authorization"); got != "Bearer "+testsite.BackendKey {
		t.Errorf("the backend got Authorization %q", got)
	}
}

// The first placeholder that is not empty names the user.
func TestUserOfPlaceholders(t *testing.T) {
	const two = "\n user {http.request.header.X-User} {http.request.header.X-Other}"
	tests := []struct {
		name, users string
		headers     []string
		user        string // "" for 401
	}{
		{"nothing configured", "", []string{"X-User: a"}, ""},
		{"first", two, []string{"X-User: a", "X-Other: b"}, "a"},
		{"second", two, []string{"X-Other: b"}, "b"},
		{"second, the first is blank", two, []string{"X-User:  \t", "X-Other: b"}, "b"},
		{"none", two, nil, ""},
		{"all blank", two, []string{"X-User: ", "X-Other: "}, ""},
		{"white space around", two, []string{"X-User:  a b  "}, "a b"},
		{"quotes", two, []string{`X-User: "a\"b"}, "user_id":"root"`}, `"a\"b"}, "user_id":"root"`},
		{"umlauts", two, []string{"X-User: Jürgen Größe 😀"}, "Jürgen Größe 😀"},
		{"markup", two, []string{"X-User: <a>&'"}, "<a>&'"},
		{"encoded newline", two, []string{"X-User: a%0d%0aX-Role: root"}, "a%0d%0aX-Role: root"},
		{"placeholder of the client's", two, []string{"X-User: {env.TEST_BACKEND_KEY}"}, "{env.TEST_BACKEND_KEY}"},
		{"text around", "\n user tenant-{http.request.header.X-Tenant}", []string{"X-Tenant: 7"}, "tenant-7"},
		{"unknown placeholder", "\n user {http.nonsense} {http.request.header.X-Other}", []string{"X-Other: b"}, "b"},
		{"of the query", "\n user {http.request.uri.query.u}", nil, ""},
		{"with anonymous, known", two + "\n anonymous", []string{"X-User: a"}, "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.users+quick(""))
			a := s.Post("/api/custom/session", `{"user":"mallory"}`, tt.headers...)
			if tt.user == "" {
				if a.Status != http.StatusUnauthorized || a.Body["code"] != "UNAUTHORIZED" || a.Body["error"] != "Unauthorized" {
					t.Errorf("got %d, want 401 UNAUTHORIZED: %s", a.Status, a.Raw)
				}
				if s.Backend.Calls() != 0 {
					t.Error("the backend was asked")
				}
				return
			}
			if a.Status != http.StatusOK {
				t.Fatalf("got %d: %s", a.Status, a.Raw)
			}
			if got := sentUser(s); got != tt.user {
				t.Errorf("the backend was asked for %q, want %q", got, tt.user)
			}
			if a.Header.Get("Set-Cookie") != "" {
				t.Errorf("a cookie was set: %s", a.Header.Get("Set-Cookie"))
			}
		})
	}
}

// What only a raw connection sends: nothing of it may forge another user.
func TestUserOfRawHeader(t *testing.T) {
	tests := []struct {
		name, value string
		status      int
		user        string
	}{
		{"folded line", "a\r\n b", 200, "a b"},
		{"carriage return", "a\rb", 400, ""},
		{"NUL", "a\x00b", 400, ""},
		{"escape", "a\x1bb", 400, ""},
		{"given twice", "a\r\nX-User: b", 200, "a,b"},
		// Latin-1 would reach the provider as U+FFFD, one user like the other.
		{"not UTF-8", "J\xfcrgen", 401, ""},
		{"half a character", "J\xc3", 401, ""},
	}
	s := newSite(t, "\n user {http.request.header.X-User} {http.request.header.X-Other}\n anonymous"+quick(""))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Backend.Clear()
			w := s.Dial()
			w.Send(head("X-User: "+tt.value, "X-Other: other", sized(0)))
			a, ok := w.Answer()
			if !ok || a.Status != tt.status {
				t.Fatalf("got %d, want %d: %s", a.Status, tt.status, a.Raw)
			}
			if tt.status == http.StatusOK {
				if got := sentUser(s); got != tt.user {
					t.Errorf("the backend was asked for %q, want %q", got, tt.user)
				}
			} else if s.Backend.Calls() != 0 {
				t.Errorf("the backend was asked for %q", sentUser(s))
			}
		})
	}
}

// The user reaches the backend in the query where it wants it there.
func TestUserInQuery(t *testing.T) {
	const user = `J&rgen=ü?#/ "+%41`
	for _, tt := range []struct {
		in          string
		query, body string
	}{{"body", "", user}, {"query", user, ""}, {"both", user, user}} {
		t.Run(tt.in, func(t *testing.T) {
			s := newSite(t, "\n user {http.request.header.X-User}\n provider backend {env.TEST_BACKEND_URL} {\n key {env.TEST_BACKEND_KEY}\n user_in "+tt.in+"\n }")
			if a := s.Post("/api/custom/session?user_id=mallory", `{"model":"m"}`, "X-User: "+user); a.Status != http.StatusOK {
				t.Fatalf("got %d: %s", a.Status, a.Raw)
			}
			query, err := url.ParseQuery(s.Backend.Requests()[0].Query)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(query["user_id"], ","); got != tt.query || sentUser(s) != tt.body {
				t.Errorf("got %q in the query and %q in the body, want %q and %q", got, sentUser(s), tt.query, tt.body)
			}
		})
	}
}
