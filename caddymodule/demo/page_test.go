package demo

import (
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/statuspage"
	// It also brings what the demo's Caddyfile needs: Caddy's own modules and
	// the product.
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Every file of the page is served with its guard, and what is not there is not.
func TestPageHeaders(t *testing.T) {
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
