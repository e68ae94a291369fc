package testsite

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Root returns the root of the repository, above the working directory.
func Root() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := wd; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		b, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
		if strings.HasPrefix(string(b), "module github.com/caddy-chatkit/caddy-chatkit\n") {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no go.mod of the product above %s", wd)
}

// Binary is the built product, and root the directory it runs in; RunWithBinary
// sets both.
var (
	Binary string
	root   string
)

// RunWithBinary builds the product and runs the tests of a package: a TestMain
// ends with its result.
func RunWithBinary(m *testing.M) int {
	var dir string
	var err error
	if root, err = Root(); err == nil {
		dir, err = os.MkdirTemp("", "caddy")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	Binary = filepath.Join(dir, "caddy")
	build := exec.Command("go", "build", "-o", Binary, "./cmd/caddy")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Run runs the product's binary to its end.
func Run(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Binary, args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Process is a running child process. It ends with the test at the latest.
type Process struct {
	cmd    *exec.Cmd
	output Buffer
	wait   func() error
	Stop   func() // ends it at once
}

// Start starts the product's binary.
func Start(t *testing.T, args ...string) *Process {
	t.Helper()
	return StartBinary(t, Binary, args...)
}

// StartBinary starts a binary of the product, of another version.
func StartBinary(t *testing.T, binary string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = root
	p := start(t, cmd)
	p.Stop = func() {
		_ = cmd.Process.Kill()
		_ = p.wait()
	}
	return p
}

// lifeline runs a program and kills it as soon as its own standard input ends,
// which it does with this process, however that ends.
const lifeline = `"$@" </dev/null & program=$!; cat >/dev/null; kill -9 $program; wait $program`

// StartProgram starts a server in a directory.
func StartProgram(t *testing.T, dir string, env []string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", lifeline, "sh"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	line, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, cmd)
	p.Stop = func() {
		_ = line.Close()
		_ = p.wait()
	}
	return p
}

func start(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{cmd: cmd, wait: sync.OnceValue(cmd.Wait)}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("%s: %s", strings.Join(cmd.Args, " "), p.Output())
		}
	})
	return p
}

// Output returns what it has printed so far.
func (p *Process) Output() string { return p.output.String() }

// Await waits until its output matches, and returns the groups of the match.
func (p *Process) Await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.Output()); m != nil {
			return m
		}
	}
	t.Fatalf("no %s in: %s", pattern, p.Output())
	return nil
}

// Interrupt sends Ctrl-C and waits for the end, which has to be a good one.
func (p *Process) Interrupt(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.wait() }()
	if err := Receive(t, done); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// Buffer is a buffer that may be read while a process writes to it.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends to the buffer.
func (l *Buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written.
func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
