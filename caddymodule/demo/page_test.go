package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/statuspage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	// It also brings what the demo's Caddyfile needs: Caddy's own modules and
	// the product.
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// startDemo starts the demo, which ends with the test.
func startDemo(t *testing.T) *demo {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir()) // what Caddy keeps
	port, err := strconv.Atoi(testsite.FreePort(t))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := strconv.Atoi(testsite.FreePort(t))
	if err != nil {
		t.Fatal(err)
	}
	d, err := start(port, admin, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Errorf("stopping the demo: %v", err)
		}
	})
	return d
}

// Every file of the page is served with its guard, and what is not there is not.
func TestPageHeaders(t *testing.T) {
	d := startDemo(t)
	for _, tt := range []struct {
		path, contentType string
		status            int
	}{
		{"/", "text/html; charset=utf-8", 200},
		{"/page/style.css", "text/css; charset=utf-8", 200},
		{"/page/main.js", "text/javascript; charset=utf-8", 200},
		{"/shared/icon.svg", "image/svg+xml", 200},
		{"/shared/base.css", "text/css; charset=utf-8", 200},
		{"/shared/words.js", "text/javascript; charset=utf-8", 200},
		{"/page/nothing", "text/plain; charset=utf-8", 404},
	} {
		a := testsite.Do(t, http.DefaultClient, http.MethodGet, d.loopbackURL()+tt.path, "")
		h := a.Header
		if a.Status != tt.status || h.Get("Content-Type") != tt.contentType ||
			h.Get("Content-Security-Policy") != statuspage.Policy || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %d %v", tt.path, a.Status, h)
		}
	}
}

// Only the demo's own page, and programs, may use the switches, and nobody may read
// anything by another name that leads here.
func TestForeignPagesAreRefused(t *testing.T) {
	d := startDemo(t)
	const session, fault, metrics = "/api/custom/session", "/demo/backend/503", "/metrics"
	own := strings.TrimPrefix(d.url(), "http://")
	foreign := "Origin: https://evil.example"
	for _, tt := range []struct {
		name, method, path, host string
		headers                  []string
		status                   int
	}{
		{"curl", http.MethodPost, fault, own, nil, 200},
		{"curl by address", http.MethodPost, fault, "127.0.0.1", nil, 200},
		{"curl by address of IPv6", http.MethodPost, fault, "[::1]:8080", nil, 200},
		{"own page", http.MethodPost, fault, own, []string{"Origin: " + d.url(), "Sec-Fetch-Site: same-origin"}, 200},
		{"own page, older browser", http.MethodPost, fault, own, []string{"Origin: " + d.url()}, 200},
		{"foreign page", http.MethodPost, fault, own, []string{foreign, "Sec-Fetch-Site: cross-site"}, 403},
		{"foreign page, older browser", http.MethodPost, fault, own, []string{foreign}, 403},
		{"another port", http.MethodPost, fault, own, []string{"Origin: http://localhost:1", "Sec-Fetch-Site: same-site"}, 403},
		{"rebound name", http.MethodPost, fault, "evil.example", []string{"Origin: http://evil.example", "Sec-Fetch-Site: same-origin"}, 403},
		{"rebound name reads the page", http.MethodGet, "/", "evil.example", nil, 403},
		{"rebound name reads the status", http.MethodGet, "/demo/status", "evil.example", nil, 403},
		{"rebound name reads the metrics", http.MethodGet, metrics, "evil.example", nil, 403},
		{"rebound name asks for a session", http.MethodPost, session, "localhost.evil.example", nil, 403},
		{"metrics", http.MethodGet, metrics, own, nil, 200},
		{"what is not there", http.MethodGet, "/nothing", own, nil, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testsite.Set(t, d.backend, sandbox.None)
			r, err := testsite.Request(t.Context(), tt.method, d.loopbackURL()+tt.path, "", tt.headers...)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = tt.host
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			switched := d.backend.Fault() != sandbox.None
			if want := tt.path == fault && tt.status == 200; resp.StatusCode != tt.status || switched != want {
				t.Errorf("got %d, and the fault was switched: %v, want %d, %v", resp.StatusCode, switched, tt.status, want)
			}
		})
	}
	if n := d.backend.Calls(); n != 0 {
		t.Errorf("the backend was asked %d times, want never", n)
	}
}

// The same holds where Caddy is not in front.
func TestControlChecksTheHost(t *testing.T) {
	h := new(demo).handler()
	for host, want := range map[string]int{
		"localhost": 404, "localhost:1": 404, "127.0.0.1:1": 404, "[::1]:1": 404,
		"": 403, "evil.example": 403, "localhost.evil.example:1": 403, "192.0.2.1": 403, "127.0.0.1.evil.example": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/nothing", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: got %d, want %d", host, w.Code, want)
		}
	}
}
