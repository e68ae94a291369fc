package fleet_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
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

	*testsite.Process
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
	t.Cleanup(func() { _ = s.Close() })
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
		args = s.args // of a Sentinel
	}
	s.Process = testsite.StartProgram(s.t, s.dir, nil, append([]string{program}, append(args, "--pidfile", s.pidfile())...)...)
	eventually(s.t, "redis answers", func() bool { return s.alive() })
}

func (s *server) alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.Ping(ctx).Err()
	return err == nil || strings.Contains(err.Error(), "AUTH")
}

func (s *server) pidfile() string { return filepath.Join(s.dir, "redis.pid") }

// kill ends it at once.
func (s *server) kill() {
	s.Stop()
	_ = os.Remove(s.pidfile())
}

// signal sends a signal to the server itself, which is the child of a shell.
func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	text, err := os.ReadFile(s.pidfile())
	if err != nil {
		s.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
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

// patient is shared for tests that count: on a machine that is busy with other tests
// an answer may take longer than requests should wait for it.
func patient(url string) string {
	return fmt.Sprintf("shared %s {\n key {env.FLEET_KEY}\n timeout 500ms\n }", url)
}
