package acme_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the Caddy of cmd/caddy, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "acme")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "caddy")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/caddy").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// key is Acme's key. Only Acme may see it.
const key = "acme-marker-key"

// server is a simulated Acme or backend, which counts what it is asked for.
type server struct {
	*httptest.Server

	mu    sync.Mutex
	calls map[string]int // by path
}

func newServer(t *testing.T, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{calls: make(map[string]int)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls[r.URL.Path]++
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// expect fails the test unless a path was called as often as that.
func (s *server) expect(t *testing.T, path string, want int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.calls[path]; got != want {
		t.Errorf("%s was called %d times, want %d", path, got, want)
	}
}

func newBackend(t *testing.T) *server {
	t.Helper()
	return newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"session_id":"sess_backend"}`)
	})
}

// site is a running Caddy with the Caddyfile of the example.
type site struct {
	address, admin string
	log            bytes.Buffer // complete after stop
	stop           func()
}

// start runs the example in front of two servers.
func start(t *testing.T, acme, backend *server) *site {
	t.Helper()
	text, err := os.ReadFile("Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{address: freeAddress(t), admin: freeAddress(t)}
	config := filepath.Join(t.TempDir(), "Caddyfile")
	own := strings.NewReplacer("\n{\n", "\n{\n\tadmin "+s.admin+"\n", "chat.example.com", "http://"+s.address).Replace(string(text))
	if err := os.WriteFile(config, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "run", "--adapter", "caddyfile", "--config", config)
	cmd.Stderr = &s.log
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(),
		"ACME_URL="+acme.URL, "ACME_KEY="+key, "CUSTOM_BACKEND_URL="+backend.URL, "CUSTOM_BACKEND_KEY=backend-key")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("Caddy's log:\n%s", &s.log)
		}
	})
	s.await(t)
	return s
}

// await waits until the site is served.
func (s *site) await(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("Caddy does not serve: %v", err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// post sends a request, with a session's secret if there is one.
func (s *site) post(t *testing.T, path, secret string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+path, strings.NewReader(`{"model":"acme-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", "req-1")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// answer is what a front end gets for a session request.
type answer struct {
	Status    int    `json:"-"`
	Reason    string `json:"-"`
	Secret    string `json:"client_secret"`
	ExpiresAt string `json:"expires_at"`
	Provider  string `json:"provider"`
	Code      string `json:"code"`
}

func (s *site) session(t *testing.T) answer {
	t.Helper()
	resp := s.post(t, "/api/custom/session", "")
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode, Reason: resp.Header.Get("X-ChatKit-Fallback-Reason")}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}
