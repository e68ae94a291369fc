package statuspage_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/statuspage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// behind is a site with directives in front of the chatkit block.
func behind(s *testsite.Site, directives string) string {
	return strings.Replace(s.Caddyfile(testsite.TwoProviders), "\t\tchatkit {", directives+"\n\t\tchatkit {", 1)
}

// The page, its files and its JSON on a site; what is not theirs goes to the next
// handler.
func TestSitePage(t *testing.T) {
	s := testsite.NewUnloaded(t)
	s.LoadText(behind(s, "chatkit_status /ops*"))
	for _, tt := range []struct {
		path, contentType, body string
		status                  int
	}{
		{"/ops/", "text/html; charset=utf-8", "<title>caddy-chatkit status</title>", 200},
		{"/ops/page/status.js", "text/javascript; charset=utf-8", "new EventSource", 200},
		{"/ops/page/base.css", "text/css; charset=utf-8", ":root", 200},
		{"/ops/page/nothing.js", "text/plain; charset=utf-8", "404", 404},
		{"/ops/status.json", "application/json", `"providers":[{"id":"backend"`, 200},
	} {
		a := s.Do(http.MethodGet, tt.path, "")
		h := a.Header
		if a.Status != tt.status || !strings.HasPrefix(h.Get("Content-Type"), tt.contentType) || !strings.Contains(a.Raw, tt.body) {
			t.Errorf("%s: got %d %v %.200s", tt.path, a.Status, h, a.Raw)
		}
		if a.Status == 200 && (h.Get("Content-Security-Policy") != statuspage.Policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") == "") {
			t.Errorf("%s: got %v", tt.path, h)
		}
	}
	if a := s.Do(http.MethodGet, "/ops/", ""); strings.Contains(a.Raw, "data-buttons") {
		t.Error("the page has buttons")
	}
	if a := s.Do(http.MethodGet, "/ops", ""); a.Status != http.StatusPermanentRedirect || a.Header.Get("Location") != "./ops/" {
		t.Errorf("without a slash: got %d %v", a.Status, a.Header)
	}
	for _, path := range []string{"/ops/favicon.ico", "/elsewhere/"} {
		if a := s.Do(http.MethodGet, path, ""); a.Status != http.StatusTeapot {
			t.Errorf("%s: got %d, want the app's answer", path, a.Status)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		for _, path := range []string{"/ops/", "/ops/status.json", "/ops/providers/backend/open"} {
			if a := s.Do(method, path, `{"for":"1m"}`); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: got %d", method, path, a.Status)
			}
		}
	}
}

// Authentication in front of it holds, wherever it stands in the Caddyfile.
func TestSitePageBehindAuthentication(t *testing.T) {
	s := testsite.NewUnloaded(t)
	// The password is "hiccup", from Caddy's own documentation.
	text := strings.Replace(behind(s, ""), "\troute {", "\tchatkit_status /ops*\n\tbasic_auth /ops* {\n\t\tbob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n\t}\n\troute {", 1)
	s.LoadText(text)
	for _, path := range []string{"/ops/", "/ops/status.json", "/ops/events", "/ops/page/status.js", "/ops/ready"} {
		if a := s.Do(http.MethodGet, path, ""); a.Status != http.StatusUnauthorized {
			t.Errorf("%s: got %d", path, a.Status)
		}
	}
	if a := s.Do(http.MethodGet, "/ops/", "", "Authorization: Basic Ym9iOmhpY2N1cA=="); a.Status != http.StatusOK {
		t.Errorf("with the password: got %d", a.Status)
	}
}

// Probes from outside of the machine, beside a page that needs a password.
func TestHealth(t *testing.T) {
	s := testsite.NewUnloaded(t)
	s.LoadText(behind(s, "chatkit_health /health/*"))
	want := func(path string, status int, body string) {
		t.Helper()
		if a := s.Do(http.MethodGet, path, ""); a.Status != status || a.Raw != body {
			t.Errorf("%s: got %d %s", path, a.Status, a.Raw)
		}
	}
	want("/health/live", 200, `{"live":true}`+"\n")
	want("/health/ready", 200, `{"ready":true}`+"\n")
	want("/health/", 418, "the app itself: GET /health/")
	for _, name := range []string{"backend", "openai"} {
		testsite.Do(t, s.Client, http.MethodPost, s.Admin+"/chatkit/providers/"+name+"/open", `{"for":"1m"}`)
	}
	want("/health/live", 200, `{"live":true}`+"\n")
	a := s.Do(http.MethodGet, "/health/ready", "")
	var r registry.Readiness
	if err := json.Unmarshal([]byte(a.Raw), &r); err != nil || a.Status != http.StatusServiceUnavailable || r.Ready || len(r.Routes) != 5 {
		t.Errorf("got %d %s", a.Status, a.Raw)
	}
	if a := s.Post("/health/ready", ""); a.Status != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", a.Status)
	}
	for _, name := range []string{"backend", "openai"} {
		testsite.Do(t, s.Client, http.MethodPost, s.Admin+"/chatkit/providers/"+name+"/auto", "")
	}
	want("/health/ready", 200, `{"ready":true}`+"\n")
}

// On the admin endpoint: the page with buttons, and nothing at other paths.
func TestAdminPage(t *testing.T) {
	s := testsite.NewUnloaded(t)
	s.LoadText(behind(s, ""))
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/chatkit/", `<body data-buttons="on">`, 200},
		{"GET", "/chatkit/page/status.css", ".figures", 200},
		{"GET", "/chatkit/nothing", "nothing at /chatkit/nothing", 404},
		{"POST", "/chatkit/", "the page is only read", 405},
		{"GET", "/chatkit/live", `{"live":true}`, 200},
	} {
		a := testsite.Do(t, s.Client, tt.method, s.Admin+tt.path, "")
		if a.Status != tt.status || !strings.Contains(a.Raw, tt.body) {
			t.Errorf("%s %s: got %d %.200s", tt.method, tt.path, a.Status, a.Raw)
		}
	}
}

// The directives take nothing.
func TestDirectivesTakeNothing(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"chatkit_status /ops/* now", `unexpected argument "now" after chatkit_status`},
		{"chatkit_health /ops/* {\n\t\tx\n\t}", "chatkit_health"},
	} {
		if _, err := testsite.Adapt("http://localhost:8080 {\n\t" + tt.line + "\n}\n"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.line, err)
		}
	}
}
