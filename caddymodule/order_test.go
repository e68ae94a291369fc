package caddymodule_test

import (
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// beside returns the Caddyfile of a site that has a chatkit block beside other
// directives, without a route block around them.
func (s *site) beside(directives, block string) string {
	s.T.Helper()
	text := s.Caddyfile("")
	return text[:strings.Index(text, "\troute {")] + directives + "\n\tchatkit {" + block + "\n\t}\n}\n"
}

// newSiteBeside loads one.
func newSiteBeside(t *testing.T, directives, block string) *site {
	t.Helper()
	s := newUnloadedSite(t)
	s.LoadText(s.beside(directives, block))
	return s
}

// webRoot returns a directory with the files of a single-page app and of a PHP one.
func webRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"index.html": "neighbor: page",
		"index.php":  "neighbor: source",
		"app.js":     "neighbor: script",
		"when.html":  `neighbor: {{"template"}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// neighbor answers with the path it was asked for.
func neighbor(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "neighbor: "+r.URL.Path)
}

// fastCGI starts a PHP that is none. It returns its address.
func fastCGI(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		_ = fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "neighbor: "+fcgi.ProcessEnv(r)["DOCUMENT_URI"])
		}))
	}()
	return l.Addr().String()
}

// On a site with other directives claimed requests are served by chatkit, wherever
// its block stands and whatever follows, and all others by the neighbor.
func TestOrder(t *testing.T) {
	root := webRoot(t)
	app := testsite.OwnBackend(t, neighbor)
	fill := strings.NewReplacer("ROOT", root, "APP", app, "PHP", fastCGI(t))
	for _, tt := range []struct {
		name, directives string
		others           map[string]string // path: the neighbor's answer
	}{
		{"respond", `respond "neighbor: all"`, map[string]string{"/": "all", "/api/other": "all"}},
		{"respond below api", `respond /api/* "neighbor: api"`, map[string]string{"/api/other": "api"}},
		{"reverse_proxy", `reverse_proxy APP`, map[string]string{"/": "/", "/api/custom/sessions": "/api/custom/sessions"}},
		{"handle", `handle {
			respond "neighbor: all"
		}`, map[string]string{"/": "all"}},
		{"handle of the path", `handle /api/* {
			reverse_proxy APP
		}
		handle {
			respond "neighbor: rest"
		}`, map[string]string{"/api/other": "/api/other", "/": "rest"}},
		{"handle_path", `handle_path /api/* {
			reverse_proxy APP
		}`, map[string]string{"/api/other": "/other"}},
		{"route", `route /api/* {
			reverse_proxy APP
		}`, map[string]string{"/api/other": "/api/other"}},
		{"file_server", `root ROOT
		file_server`, map[string]string{"/": "page", "/app.js": "script"}},
		{"single-page app", `root ROOT
		handle {
			try_files {path} /index.html
			file_server
		}`, map[string]string{"/": "page", "/app.js": "script", "/some/view": "page"}},
		{"php_fastcgi", `root ROOT
		php_fastcgi PHP
		file_server`, map[string]string{"/": "/index.php", "/some/view": "/index.php", "/app.js": "script"}},
		{"front controller", `root ROOT
		handle {
			try_files {path} /index.php
			@php path *.php
			reverse_proxy @php APP
			file_server
		}`, map[string]string{"/some/view": "/index.php", "/app.js": "script"}},
		{"encode", `encode
		reverse_proxy APP`, map[string]string{"/": "/"}},
		{"templates", `root ROOT
		templates
		file_server`, map[string]string{"/when.html": "template"}},
		{"redir of another path", `redir /old /new
		reverse_proxy APP`, map[string]string{"/": "/"}},
		{"rewrite of another path", `rewrite /old /new
		reverse_proxy APP`, map[string]string{"/old": "/new"}},
		{"header and request_header", `header X-Site yes
		request_header X-Site yes
		reverse_proxy APP`, map[string]string{"/": "/"}},
		{"error", `error /api/* 404
		reverse_proxy APP`, map[string]string{"/": "/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSiteBeside(t, "\t\t"+fill.Replace(tt.directives), testsite.TwoProviders)
			checkClaimed(s)
			for path, want := range tt.others {
				if a := s.Do(http.MethodGet, path, ""); a.Status != http.StatusOK || a.Raw != "neighbor: "+want {
					t.Errorf("%s: got %d %q, want %q", path, a.Status, a.Raw, "neighbor: "+want)
				}
			}
		})
	}
}

// checkClaimed checks that each kind of route reaches the backend, once. The backend
// knows no session of the stream's.
func checkClaimed(s *site) {
	s.T.Helper()
	for path, want := range map[string]string{
		"/api/custom/session": "200 backend", "/api/create-session": "200 backend", "/api/chatkit/session": "200 backend",
		"/api/custom/refresh": "200 backend", "/api/chatkit/refresh": "200 backend", "/api/custom/stream": "401 backend",
	} {
		before := s.Backend.Calls()
		s.Post(path, "{}").Is(s.T, want)
		if n := s.Backend.Calls() - before; n != 1 {
			s.T.Errorf("%s: the backend was asked %d times, want once", path, n)
		}
	}
}

// Where the old order asked for a route or handle block around chatkit, that goes
// on working.
func TestOrderInBlocks(t *testing.T) {
	const block = "chatkit {" + testsite.TwoProviders + "\n}"
	for name, directives := range map[string]string{
		"route":       "route {\n" + block + "\n respond \"neighbor\"\n}",
		"handle":      "handle /api/* {\n" + block + "\n}\n handle {\n respond \"neighbor\"\n}",
		"handle_path": "handle_path /site/* {\n" + block + "\n respond \"neighbor\"\n}\n rewrite /api/* /site{uri}",
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			text := s.Caddyfile("")
			s.LoadText(text[:strings.Index(text, "\troute {")] + directives + "\n}\n")
			checkClaimed(s)
		})
	}
}

// Authentication stands in front of chatkit: strangers are sent away before it sees
// them, and it knows who has logged in.
func TestOrderBehindAuthentication(t *testing.T) {
	login := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Login") != "alice" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-User", "alice")
	})
	for name, tt := range map[string]struct{ directives, user, header string }{
		"basic_auth":   {"basic_auth {\n alice " + hiccup + "\n }", "{http.auth.user.id}", "Authorization: Basic YWxpY2U6aGljY3Vw"},
		"forward_auth": {"forward_auth " + login + " {\n uri /\n copy_headers X-User\n }", "{http.request.header.X-User}", "X-Login: alice"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSiteBeside(t, tt.directives, "\n user "+tt.user+quick(""))
			if a := s.Session("X-User: alice"); a.Status != http.StatusUnauthorized || a.Header.Get("X-Request-Id") != "" || s.Backend.Calls() > 0 {
				t.Errorf("a stranger got %d %s, and the backend was asked %d times", a.Status, a.Raw, s.Backend.Calls())
			}
			s.Session(tt.header).Is(t, "200 backend")
			if got := sentUser(s); got != "alice" {
				t.Errorf("the backend was asked for %q", got)
			}
		})
	}
}

// An answer of chatkit is encoded as any other, and not run as a template.
func TestOrderBehindEncodeAndBeforeTemplates(t *testing.T) {
	const long = 2000 // encode leaves short answers alone
	s := newUnloadedSite(t)
	text := strings.Repeat("x", long) + `{{env "HOME"}}`
	backend := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, text)
	})
	s.LoadText(s.beside("encode gzip\n templates", testsite.Backends("", backend)))
	a := s.Post("/api/custom/message", "{}", "Accept-Encoding: gzip")
	if a.Status != http.StatusOK || a.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("got %d %v", a.Status, a.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(a.Raw))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != text {
		t.Errorf("got %q and %v", got, err)
	}
}

// A WebSocket gets through what wraps answers.
func TestOrderOfWebSockets(t *testing.T) {
	s := newSiteBeside(t, "encode\n templates", testsite.Backends("", testsite.OwnBackend(t, endings["stream cut"])))
	w := s.Dial()
	w.Send("GET /api/ws/chat/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n" + strings.Join(upgrade, "\r\n") + "\r\n\r\n")
	if line, err := w.R.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 101 ") {
		t.Errorf("got %q and %v", line, err)
	}
}

// A path counts as it is when chatkit sees it: an operator may rewrite to a claimed
// path, and away from one. The second is loud, because try_files does it to all.
func TestOrderBehindRewrites(t *testing.T) {
	const warning = "a claimed path was rewritten in front of chatkit"
	for _, tt := range []struct {
		name, directives, path string
		served, warned         bool
	}{
		{"to a claimed path", "rewrite /chat /api/custom/session", "/chat", true, false},
		{"prefix stripped", "uri strip_prefix /app", "/app/api/custom/session", true, false},
		{"away from it", "rewrite /api/custom/session /elsewhere", "/api/custom/session", false, true},
		{"single-page app without handle", "root ROOT\n try_files {path} /index.html\n file_server", "/api/custom/session", false, true},
		{"another path", "root ROOT\n try_files {path} /index.html\n file_server", "/some/view", false, false},
		{"redirected", "redir https://chat.example.com{uri}", "/api/custom/session", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSiteBeside(t, strings.ReplaceAll(tt.directives, "ROOT", webRoot(t)), testsite.TwoProviders)
			a := s.Post(tt.path, "{}")
			if served := s.Backend.Calls() == 1 && a.Provider() == "backend"; served != tt.served {
				t.Errorf("got %d from %q", a.Status, a.Provider())
			}
			if warned := len(s.Logged("caddy.log", warning)) == 1; warned != tt.warned {
				t.Errorf("the log has the warning: %v, want %v", warned, tt.warned)
			}
		})
	}
}

// What was rewritten is not claimed by its first path: a matcher of forward_auth has
// not seen that path either.
func TestRewritingDoesNotSkipAuthentication(t *testing.T) {
	s := newSiteBeside(t, "root "+webRoot(t)+`
		try_files {path} /index.html
		basic_auth /api/custom/* {
			alice `+hiccup+`
		}
		file_server`, testsite.TwoProviders)
	if a := s.Session(); a.Status == http.StatusOK || s.Backend.Calls() > 0 {
		t.Errorf("got %d %s without a password", a.Status, a.Raw)
	}
}
