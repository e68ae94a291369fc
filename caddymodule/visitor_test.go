package caddymodule_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const visitorID = "3f2a0b1c-4d5e-4f60-8a7b-9c0d1e2f3a4b"

// keyed is a block for visitors with a key that tests know.
const keyed = "\n anonymous {\n key " + longKey + "\n }"

// signed is the value of the visitor's cookie as the key signs it for a host.
func signed(host string) string {
	mac := hmac.New(sha256.New, []byte(longKey))
	mac.Write([]byte("visitor\x00" + host + "\x00" + visitorID))
	return visitorID + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A visitor without an account gets an id once, and keeps it. No other cookie than
// ours is good for one.
func TestVisitorCookie(t *testing.T) {
	const named = "\n anonymous visitor {\n key " + longKey + "\n }" // another name for the cookie
	good := signed("127.0.0.1")
	tests := []struct {
		name, block, cookie string
		known               bool
	}{
		{"none", keyed, "", false},
		{"signed", keyed, "chatkit_session_id=" + good, true},
		{"among others", keyed, "a=b; chatkit_session_id=" + good + "; c=d", true},
		{"quoted", keyed, `chatkit_session_id="` + good + `"`, true},
		{"behind one that is planted", keyed, "chatkit_session_id=" + visitorID + "; chatkit_session_id=" + good, true},
		{"behind one of another host", keyed, "chatkit_session_id=" + signed("b.test") + "; chatkit_session_id=" + good, true},
		{"empty", keyed, "chatkit_session_id=", false},
		{"not signed", keyed, "chatkit_session_id=" + visitorID, false},
		{"as upstream", keyed, "chatkit_session_id=anon-" + visitorID, false},
		{"empty signature", keyed, "chatkit_session_id=" + visitorID + ".", false},
		{"signature alone", keyed, "chatkit_session_id=" + good[36:], false},
		{"other signature", keyed, "chatkit_session_id=" + good[:len(good)-2] + "AA", false},
		{"cut signature", keyed, "chatkit_session_id=" + good[:len(good)-1], false},
		{"longer signature", keyed, "chatkit_session_id=" + good + "A", false},
		{"capitals", keyed, "chatkit_session_id=" + strings.ToUpper(visitorID) + good[36:], false},
		{"other id", keyed, "chatkit_session_id=" + strings.Replace(good, "3", "4", 1), false},
		{"another host", keyed, "chatkit_session_id=" + signed("b.test"), false},
		{"account", keyed, "chatkit_session_id=alice@example.com", false},
		{"another cookie", keyed, "visitor=" + good, false},
		{"name of HTTPS", keyed, "__Host-chatkit_session_id=" + good, false},
		{"own name", named, "visitor=" + good, true},
		{"own name, none", named, "", false},
		{"own name, default one given", named, "chatkit_session_id=" + good, false},
		{"key in storage", "\n anonymous", "", false},
		{"key in storage, signed by another", "\n anonymous", "chatkit_session_id=" + good, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := "chatkit_session_id"
			if tt.block == named {
				name = "visitor"
			}
			s := newSite(t, tt.block+quick(""))
			a := s.Post("/api/custom/session", "", "Cookie: "+tt.cookie)
			if a.Status != http.StatusOK {
				t.Fatalf("got %d: %s", a.Status, a.Raw)
			}
			user, cookies := sentUser(s), a.Header.Values("Set-Cookie")
			if tt.known {
				if user != "anon-"+visitorID || len(cookies) != 0 {
					t.Errorf("the backend was asked for %q and %q set, want the visitor and none", user, cookies)
				}
				return
			}
			checkNewVisitor(t, user, cookies, name, "; HttpOnly; SameSite=Lax")
			if again := s.Post("/api/custom/session", "", "Cookie: "+cookies[0]); len(again.Header.Values("Set-Cookie")) != 0 || sentUser(s) != user {
				t.Errorf("the cookie was not kept: %q", again.Header.Values("Set-Cookie"))
			}
		})
	}
}

var newCookie = regexp.MustCompile(`^([A-Za-z_-]+)=([0-9a-f-]{36})\.[A-Za-z0-9_-]{43}; Path=/; Max-Age=2592000(; .*)$`)

// checkNewVisitor checks the one cookie of a new visitor, and that the user is the
// one in it.
func checkNewVisitor(t *testing.T, user string, cookies []string, name, attributes string) {
	t.Helper()
	if len(cookies) != 1 {
		t.Fatalf("got cookies %q", cookies)
	}
	m := newCookie.FindStringSubmatch(cookies[0])
	if m == nil || m[1] != name || "anon-"+m[2] != user || m[2] == visitorID || m[3] != attributes {
		t.Errorf("got cookie %q for user %q", cookies[0], user)
	}
}

// An account never has the id of a visitor, whatever its own id is.
func TestAccountsAreNoVisitors(t *testing.T) {
	s := newSite(t, headerUser+keyed+quick(""))
	for user, status := range map[string]int{
		"anon-" + visitorID: 401, "ANON-" + strings.ToUpper(visitorID): 401,
		visitorID: 200, "anon-peter": 200, "anon-" + visitorID + "0": 200, "x-anon-" + visitorID: 200,
	} {
		s.Backend.Clear()
		got := s.Session("X-User: "+user, "Cookie: chatkit_session_id="+signed("127.0.0.1"))
		if got.Status != status || s.Backend.Calls() != status/200%2 || status == 200 && sentUser(s) != user {
			t.Errorf("%s: got %d %s, the backend was asked %d times", user, got.Status, got.Raw, s.Backend.Calls())
		}
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
			cookie := c.ask(s).Header.Get("Set-Cookie")
			if got := c.ask(s, "Cookie: "+cookie).Header.Values("Set-Cookie"); len(got) != 0 {
				t.Errorf("got cookies %q in place of a valid one", got)
			}
		})
	}
}

const secureAttributes = "; HttpOnly; Secure; SameSite=Lax"

// Over HTTPS the cookie is Secure and has a name that other hosts cannot plant.
func TestVisitorCookieOverHTTPS(t *testing.T) {
	s := newUnloadedSite(t)
	s.LoadText(s.SecureCaddyfile(keyed + quick("")))
	s.Client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	a := s.Session()
	checkNewVisitor(t, sentUser(s), a.Header.Values("Set-Cookie"), "__Host-chatkit_session_id", secureAttributes)
	good := signed("127.0.0.1")
	a = s.Session("Cookie: chatkit_session_id=" + good) // planted by another host of the domain
	checkNewVisitor(t, sentUser(s), a.Header.Values("Set-Cookie"), "__Host-chatkit_session_id", secureAttributes)
	a = s.Session("Cookie: chatkit_session_id=x; __Host-chatkit_session_id=" + good)
	if a.Header.Get("Set-Cookie") != "" || sentUser(s) != "anon-"+visitorID {
		t.Errorf("got cookie %q for %s", a.Header.Get("Set-Cookie"), sentUser(s))
	}
}

// A trusted proxy says whether the client uses HTTPS. Nobody else does.
func TestVisitorCookieBehindAProxy(t *testing.T) {
	const proto = "X-Forwarded-Proto: "
	for _, tt := range []struct {
		name, trusted, header string
		secure                bool
	}{
		{"trusted, https", "127.0.0.0/8", proto + "https", true},
		{"trusted, HTTPS", "127.0.0.0/8", proto + "HTTPS", true},
		{"trusted, http", "127.0.0.0/8", proto + "http", false},
		{"trusted, nothing said", "127.0.0.0/8", "X-A: b", false},
		{"not trusted", "192.0.2.0/24", proto + "https", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			s.LoadText(strings.Replace(s.Caddyfile(keyed+quick("")), "auto_https off",
				"auto_https off\n servers {\n trusted_proxies static "+tt.trusted+"\n }", 1))
			name, attributes := "chatkit_session_id", "; HttpOnly; SameSite=Lax"
			if tt.secure {
				name, attributes = "__Host-"+name, secureAttributes
			}
			a := s.Session(tt.header)
			checkNewVisitor(t, sentUser(s), a.Header.Values("Set-Cookie"), name, attributes)
			good := "Cookie: " + name + "=" + signed("127.0.0.1")
			if a := s.Session(tt.header, good); a.Header.Get("Set-Cookie") != "" || sentUser(s) != "anon-"+visitorID {
				t.Errorf("got cookie %q for %s", a.Header.Get("Set-Cookie"), sentUser(s))
			}
		})
	}
}

// The key in the storage is made once: reloads and other instances on that storage
// have the same visitors.
func TestVisitorKeyInStorage(t *testing.T) {
	s := newSite(t, visitor)
	s.persistent()
	cookie := s.Session().Header.Get("Set-Cookie")
	user, path := sentUser(s), filepath.Join(s.Dir, "storage/chatkit/visitor_key")
	key, err := os.ReadFile(path)
	if err != nil || len(key) != 32 {
		t.Fatalf("the key has %d bytes: %v", len(key), err)
	}
	kept := func(why string, want bool) {
		t.Helper()
		if a := s.Session("Cookie: " + cookie); (sentUser(s) == user) != want || (a.Header.Get("Set-Cookie") == "") != want {
			t.Errorf("%s: %s became %s", why, user, sentUser(s))
		}
	}
	s.Load(visitor + "\n deadline 9s")
	kept("reload", true)
	overwrite := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overwrite("too short")
	s.Load(visitor + "\n deadline 8s")
	kept("unusable key in the storage", true)
	if lines := s.Logged("caddy.log", "key of visitors' cookies is not in storage"); len(lines) != 1 {
		t.Errorf("logged %q", lines)
	}
	overwrite(longKey)
	s.Load(visitor + "\n deadline 7s")
	kept("key of another instance", false)
	s.Session("Cookie: chatkit_session_id=" + signed("127.0.0.1"))
	if sentUser(s) != "anon-"+visitorID {
		t.Errorf("the key of another instance is not used")
	}
}

// What keys may be, and how they come.
func TestVisitorKeys(t *testing.T) {
	s := newUnloadedSite(t)
	t.Setenv("TEST_VISITOR_KEY", longKey)
	t.Setenv("TEST_SHORT_KEY", longKey[1:])
	for key, want := range map[string]string{
		"{env.TEST_VISITOR_KEY}":               "",
		"{file." + file(t, longKey+"\n") + "}": "",
		"{env.TEST_SHORT_KEY}":                 "key has 31 characters (want at least 32)",
		"{env.TEST_UNSET}":                     "anonymous: key",
	} {
		err := s.TryLoad("\n anonymous {\n key " + key + "\n }" + quick(""))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), longKey[1:]) {
				t.Errorf("%s: got %v, want %s", key, err, want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		s.persistent()
		if s.Session("Cookie: chatkit_session_id=" + signed("127.0.0.1")); sentUser(s) != "anon-"+visitorID {
			t.Errorf("%s: another key is used", key)
		}
	}
}

// No visitor's cookie goes to a backend with a carried request.
func TestVisitorCookieIsNotCarried(t *testing.T) {
	k := testsite.NewTaker(t, func(http.ResponseWriter, *http.Request) {})
	s := newSite(t, inFront(k.URL, ""))
	for cookie, want := range map[string]string{
		"a=b; chatkit_session_id=1; c=d":                          "a=b; c=d",
		`__Host-chatkit_session_id="1"; sid=s`:                    "sid=s",
		"chatkit_session_id=1; __Host-chatkit_session_id=2":       "",
		"chatkit_session_id=1; x=y; chatkit_session_id=2":         "x=y",
		"my_chatkit_session_id=1; chatkit_session_id_2=2; __Host": "my_chatkit_session_id=1; chatkit_session_id_2=2; __Host",
	} {
		s.Stream("Cookie: " + cookie)
		received := k.Received()
		if got := received[len(received)-1].Header.Get("Cookie"); got != want {
			t.Errorf("%q was carried as %q, want %q", cookie, got, want)
		}
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
