package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// installation is the binary as an operator runs it: a Caddyfile on disk,
// `caddy run`, `caddy reload`.
type installation struct {
	*process
	file, url, admin string
	backend, openai  *sandbox.Server
}

// text is the Caddyfile; extra goes into the chatkit block.
func (in *installation) text(extra string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
}
%s {
	chatkit {
		anonymous
		provider backend %s {
			key k
			retries 0
			breaker {
				consecutive 2
				open 1m
			}
		}
		provider openai {
			base_url %s/v1
			key k
			workflow wf_test
		}
		%s
	}
}
`, in.admin, in.url, in.backend.URL(), in.openai.URL(), extra)
}

func install(t *testing.T) *installation {
	t.Helper()
	in := &installation{
		file:  filepath.Join(t.TempDir(), "Caddyfile"),
		url:   "http://127.0.0.1:" + freePort(t),
		admin: "127.0.0.1:" + freePort(t),
	}
	in.backend, in.openai = standIn(t, sandbox.NewBackend), standIn(t, sandbox.NewOpenAI)
	in.write(t, in.text(""))
	in.process = start(t, "run", "--adapter", "caddyfile", "--config", in.file)
	in.await(t, "serving initial configuration")
	return in
}

func standIn(t *testing.T, start func(sandbox.Options) (*sandbox.Server, error)) *sandbox.Server {
	t.Helper()
	s, err := start(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (in *installation) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(in.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (in *installation) reload(t *testing.T) (string, error) {
	t.Helper()
	return caddy(t, nil, "reload", "--adapter", "caddyfile", "--config", in.file, "--address", in.admin)
}

// reason asks for a session and returns why it was a fallback. Fresh connections
// may still meet the listener a reload is about to close.
func (in *installation) reason(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.url+"/api/custom/session", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d", resp.StatusCode)
			}
			return resp.Header.Get("X-Chatkit-Fallback-Reason")
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// The breaker is still open after `caddy reload`, and after one that is refused.
func TestReloadCommand(t *testing.T) {
	in := install(t)
	if err := in.backend.Set(sandbox.Status500); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"status_5xx", "status_5xx", "open"} {
		if got := in.reason(t); got != want {
			t.Fatalf("got reason %q, want %q", got, want)
		}
	}
	in.write(t, in.text("deadline 9s"))
	if out, err := in.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := in.reason(t); got != "open" {
		t.Errorf("after a reload: got reason %q, want open", got)
	}
	in.write(t, in.text("deadline -9s"))
	if out, err := in.reload(t); err == nil || !strings.Contains(out, `deadline: invalid duration \"-9s\" (want above 0)`) ||
		!strings.Contains(out, in.file+":21") {
		t.Errorf("got %v, want an error with the line: %s", err, out)
	}
	if got := in.reason(t); got != "open" {
		t.Errorf("after a rejected reload: got reason %q, want open", got)
	}
	if calls := in.backend.Calls(); calls != 2 {
		t.Errorf("backend was called %d times, want the 2 that opened the breaker", calls)
	}
	in.interrupt(t)
}
