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
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// installation is the binary as an operator runs it: a Caddyfile on disk,
// `caddy run`, `caddy reload`.
type installation struct {
	*testsite.Process
	file, url, admin string
	backend, openai  *sandbox.Server
}

// text is the Caddyfile; extra goes into the chatkit block.
func (in *installation) text(extra string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	storage file_system %s
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
`, in.admin, filepath.Dir(in.file), in.url, in.backend.URL(), in.openai.URL(), extra)
}

func install(t *testing.T) *installation {
	t.Helper()
	in := &installation{
		file:  filepath.Join(t.TempDir(), "Caddyfile"),
		url:   testsite.Nobody(t),
		admin: testsite.FreeAddr(t),
	}
	in.backend, in.openai = testsite.StandIn(t, sandbox.NewBackend, sandbox.Options{}), testsite.StandIn(t, sandbox.NewOpenAI, sandbox.Options{})
	in.write(t, in.text(""))
	in.start(t)
	return in
}

func (in *installation) start(t *testing.T) {
	t.Helper()
	in.Process = testsite.Start(t, "run", "--adapter", "caddyfile", "--config", in.file)
	in.Await(t, "serving initial configuration")
}

func (in *installation) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(in.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (in *installation) reload(t *testing.T) (string, error) {
	t.Helper()
	return testsite.Run(t, nil, "reload", "--adapter", "caddyfile", "--config", in.file, "--address", in.admin)
}

// reason asks for a session and returns why it was a fallback. Fresh connections
// may still meet the listener a reload is about to close.
func (in *installation) reason(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; {
		a, err := testsite.Try(t.Context(), http.DefaultClient, http.MethodPost, in.url+"/api/custom/session", "")
		switch {
		case err == nil && a.Status == http.StatusOK:
			return a.Reason()
		case err == nil:
			t.Fatalf("got %d", a.Status)
		case time.Now().After(end):
			t.Fatal(err)
		}
	}
}

// The breaker is still open after `caddy reload`, and after one that is refused.
func TestReloadCommand(t *testing.T) {
	in := install(t)
	testsite.Set(t, in.backend, sandbox.Status500)
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
		!strings.Contains(out, in.file+":22") {
		t.Errorf("got %v, want an error with the line: %s", err, out)
	}
	if got := in.reason(t); got != "open" {
		t.Errorf("after a rejected reload: got reason %q, want open", got)
	}
	if calls := in.backend.Calls(); calls != 2 {
		t.Errorf("backend was called %d times, want the 2 that opened the breaker", calls)
	}
	in.Interrupt(t)
}
