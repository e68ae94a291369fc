package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A process that stops waits for sessions that nobody got, so that it can cancel them,
// but not for ever.
func TestOrphansWhenTheProcessStops(t *testing.T) {
	for name, c := range map[string]struct {
		answers  time.Duration // after its time limit of 100 ms
		canceled int64
		atMost   time.Duration
	}{
		"in time": {time.Second, 1, 4 * time.Second},
		"never":   {time.Minute, 0, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var canceled atomic.Int64
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					canceled.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				select {
				case <-time.After(c.answers):
				case <-r.Context().Done():
				}
				_, _ = io.WriteString(w, `{"session_id": "one"}`)
			}))
			t.Cleanup(backend.Close)
			file, url := filepath.Join(t.TempDir(), "Caddyfile"), testsite.Nobody(t)
			text := fmt.Sprintf("{\n admin off\n persist_config off\n}\n%s {\n chatkit {\n anonymous {\n key 0123456789abcdef0123456789abcdef\n }\n provider backend %s {\n timeout 100ms\n cancel on\n }\n }\n}\n",
				url, backend.URL)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := testsite.Start(t, "run", "--adapter", "caddyfile", "--config", file)
			p.Await(t, "serving initial configuration")
			resp, err := http.Post(url+"/api/custom/session", "application/json", nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusGatewayTimeout {
				t.Errorf("got %d", resp.StatusCode)
			}
			http.DefaultClient.CloseIdleConnections()
			start := time.Now()
			p.Interrupt(t)
			if took := time.Since(start); took > c.atMost || canceled.Load() != c.canceled {
				t.Errorf("ended after %s, with %d canceled; want at most %s and %d", took, canceled.Load(), c.atMost, c.canceled)
			}
		})
	}
}
