package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// binary is the command, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "caddy")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "caddy")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// root is the root of the repository.
const root = "../.."

// caddy runs the binary to its end.
func caddy(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestListModules(t *testing.T) {
	out, err := caddy(t, nil, "list-modules")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{
		"http.handlers.chatkit", "http.handlers.chatkit.providers.backend", "http.handlers.chatkit.providers.openai",
		"http.handlers.chatkit.providers.sendbird", "admin.api.chatkit", "events.handlers.chatkit_webhook",
	} {
		if !strings.Contains(out, module+"\n") {
			t.Errorf("%s is not listed", module)
		}
	}
}

var productionEnv = []string{
	"CUSTOM_BACKEND_URL=https://api.example.com", "CUSTOM_BACKEND_KEY=k",
	"OPENAI_API_KEY=sk-test", "CHATKIT_WORKFLOW_ID=wf_test",
}

// The shipped Caddyfile is valid, and says what is missing where a variable is unset.
func TestShippedCaddyfile(t *testing.T) {
	if out, err := caddy(t, productionEnv, "validate", "--config", "Caddyfile"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, unset := range productionEnv {
		name, _, _ := strings.Cut(unset, "=")
		t.Run("without "+name, func(t *testing.T) {
			out, err := caddy(t, append(slices.Clip(productionEnv), name+"="), "validate", "--config", "Caddyfile")
			if err == nil || !strings.Contains(out, "{env."+name+"}") {
				t.Errorf("got %v, want an error that names {env.%s}: %s", err, name, out)
			}
		})
	}
}

// process is a command that is still running.
type process struct {
	cmd *exec.Cmd
	out *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts the binary; the test ends it if nobody did before.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(context.Background(), binary, args...), out: new(lockedBuffer)}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Dir = root
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

// interrupt sends Ctrl-C and waits for the end.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("ended with %v: %s", err, p.out)
		}
	case <-time.After(15 * time.Second):
		t.Errorf("did not end: %s", p.out)
	}
}

// await waits until the output matches.
func (p *process) await(t *testing.T, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if re.MatchString(p.out.String()) {
			return
		}
	}
	t.Fatalf("no %s in: %s", pattern, p.out)
}

// freePort is a port of the loopback interface nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	addr, err := sandbox.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// fetch sends a request and returns status and body.
func fetch(t *testing.T, method, url string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
