package caddymodule_test

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const visitorID = "3f2a0b1c-4d5e-4f60-8a7b-9c0d1e2f3a4b"

// A visitor without an account gets an id once, and keeps it.
func TestVisitorCookie(t *testing.T) {
	const named = "\n anonymous visitor" // another name for the cookie
	tests := []struct {
		name, block, cookie string
		user                string // "" where it is a new one
	}{
		{"none", "", "", ""},
		{"valid", "", "chatkit_session_id=" + visitorID, visitorID},
		{"valid in capitals", "", "chatkit_session_id=" + strings.ToUpper(visitorID), visitorID},
		{"valid among others", "", "a=b; chatkit_session_id=" + visitorID + "; c=d", visitorID},
		{"quoted", "", `chatkit_session_id="` + visitorID + `"`, visitorID},
		{"empty", "", "chatkit_session_id=", ""},
		{"somebody's account", "", "chatkit_session_id=alice@example.com", ""},
		{"braces", "", "chatkit_session_id={" + visitorID + "}", ""},
		{"URN", "", "chatkit_session_id=urn:uuid:" + visitorID, ""},
		{"no hyphens", "", "chatkit_session_id=" + strings.ReplaceAll(visitorID, "-", ""), ""},
		{"one digit too many", "", "chatkit_session_id=" + visitorID + "0", ""},
		{"no hexadecimal", "", "chatkit_session_id=" + strings.Replace(visitorID, "3", "g", 1), ""},
		{"another cookie", "", "visitor=" + visitorID, ""},
		{"own name", named, "visitor=" + visitorID, visitorID},
		{"own name, none", named, "", ""},
		{"own name, default one given", named, "chatkit_session_id=" + visitorID, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, block := "chatkit_session_id", visitor
			if tt.block != "" {
				name, block = "visitor", tt.block+quick("")
			}
			s := newSite(t, block)
			a := s.Post("/api/custom/session", "", "Cookie: "+tt.cookie)
			if a.Status != http.StatusOK {
				t.Fatalf("got %d: %s", a.Status, a.Raw)
			}
			user, cookies := sentUser(s), a.Header.Values("Set-Cookie")
			if tt.user != "" {
				if user != tt.user || len(cookies) != 0 {
					t.Errorf("the backend was asked for %q and %q set, want %q and none", user, cookies, tt.user)
				}
				return
			}
			want := name + "=" + user + "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
			if !uuidOnly.MatchString(user) || len(cookies) != 1 || cookies[0] != want {
				t.Errorf("got cookies %q for user %q, want %q", cookies, user, want)
			}
			if again := s.Post("/api/custom/session", "", "Cookie: "+cookies[0]); len(again.Header.Values("Set-Cookie")) != 0 || sentUser(s) != user {
				t.Errorf("the cookie was not kept: %q", again.Header.Values("Set-Cookie"))
			}
		})
	}
}

// The id is given on errors too: the next try is the same visitor's.
func TestVisitorCookieOnErrors(t *testing.T) {
	for _, c := range situations {
		if c.block == quick("") || c.code == "METHOD_NOT_ALLOWED" {
			continue // nobody was let in, or nobody asked for a session
		}
		t.Run(c.name, func(t *testing.T) {
			s := c.start(t)
			if got := c.ask(s).Header.Values("Set-Cookie"); len(got) != 1 || !strings.HasPrefix(got[0], "chatkit_session_id=") {
				t.Errorf("got cookies %q, want one", got)
			}
			if got := c.ask(s, "Cookie: chatkit_session_id="+visitorID).Header.Values("Set-Cookie"); len(got) != 0 {
				t.Errorf("got cookies %q in place of a valid one", got)
			}
		})
	}
}

// Over HTTPS the cookie is Secure.
func TestVisitorCookieOverHTTPS(t *testing.T) {
	s := newUnloadedSite(t)
	s.LoadText(s.SecureCaddyfile(visitor))
	s.Client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	a := s.Session()
	if got := a.Header.Get("Set-Cookie"); !strings.HasSuffix(got, "; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("got cookie %q, want a secure one", got)
	}
}

// file writes a file of its own directory.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
