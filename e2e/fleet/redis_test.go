package fleet_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// server is a Redis of a test.
type server struct {
	*redis.Client

	t    *testing.T
	addr string
	args []string
	dir  string
	cmd  *exec.Cmd
}

// startRedis starts a server with more arguments.
func startRedis(t *testing.T, args ...string) *server {
	t.Helper()
	return startAt(t, testsite.FreeAddr(t), args...)
}

func startAt(t *testing.T, addr string, args ...string) *server {
	t.Helper()
	s := &server{t: t, addr: addr, dir: t.TempDir(), args: args}
	s.Client = redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true})
	t.Cleanup(func() { _ = s.Client.Close(); s.kill() })
	s.start()
	return s
}

// url is its address for the configuration.
func (s *server) url() string { return "redis://" + s.addr }

func (s *server) start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	program := testtools.Program(s.t, "redis-server")
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir}, s.args...)
	if len(s.args) > 0 && !strings.HasPrefix(s.args[0], "--") { // a file of its own
		args = s.args
	}
	s.cmd = exec.Command(program, args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := os.Create(filepath.Join(s.dir, "redis.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "redis answers", func() bool { return s.alive() })
}

func (s *server) alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.Ping(ctx).Err()
	return err == nil || strings.Contains(err.Error(), "AUTH")
}

// kill ends it at once.
func (s *server) kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGCONT)
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// must sends a command that has to work.
func (s *server) must(args ...any) any {
	s.t.Helper()
	v, err := s.Do(s.t.Context(), args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return v
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for end := begun.Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return time.Since(begun)
		}
	}
	t.Fatal("never: " + what)
	return 0
}

// shared is the option that shares on a server.
func shared(url string) string {
	return fmt.Sprintf("shared %s {\n key {env.FLEET_KEY}\n }", url)
}
