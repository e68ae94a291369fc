package samples_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testtools"
)

// root is the root of the repository.
const root = ".."

// patience ends what hangs.
const patience = time.Minute

// binary is the product, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	// The gate shows lines that begin so; of a test that passes it shows nothing.
	switch dir, err := seeds(); {
	case err != nil:
		fmt.Printf("\tsamples: %v\n", err)
	case dir == "":
		fmt.Println("\tsamples: our own only, the documents are not here")
	default:
		fmt.Printf("\tsamples: our own, and those of the documents in %s\n", dir)
	}
	dir, err := os.MkdirTemp("", "samples")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "caddy")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "./cmd/caddy") // quicker without symbols
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// server is a server that runs as a process of its own.
type server struct{ out lockedBuffer }

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

// lifeline runs a command until its own standard input ends, so that no server
// is left over even where the test itself is killed. One that does not want to
// end is killed after 5 s, and one that is forgotten after 5 min.
const lifeline = `timeout -k 5 300 "$@" </dev/null & cat >/dev/null; kill $!; wait $!`

// startServer starts a server in a directory; it ends with the test.
func startServer(t *testing.T, dir string, env []string, args ...string) (s *server, end func()) {
	t.Helper()
	testtools.Program(t, "timeout")
	s = new(server)
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{"-c", lifeline, "sh"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), &s.out, &s.out
	line, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = line.Close()
		_ = cmd.Wait()
	})
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("%s: %s", args[0], &s.out)
		}
	})
	return s, end
}

var running = regexp.MustCompile(`running on (http://127\.0\.0\.1:\d+)`)

// url waits for the server to say where it listens.
func (s *server) url(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if m := running.FindStringSubmatch(s.out.String()); m != nil {
			return m[1]
		}
	}
	t.Fatal("the server does not say where it listens")
	return ""
}

// site is the product, started with a Caddyfile.
type site struct {
	URL string
	*server
}

// serve starts the product with a chatkit block that holds these lines.
func serve(t *testing.T, lines ...string) *site {
	t.Helper()
	addr := freeAddr(t)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, fmt.Appendf(nil, siteFile, addr, strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return listening(t, addr, nil, binary, "run", "--adapter", "caddyfile", "--config", file)
}

// siteFile is a Caddyfile, but for the address and the lines of the block. Users
// who log in are all the same one.
const siteFile = `{
	admin off
	persist_config off
}
http://%s {
	vars user USER_ID
	chatkit {
%s
	}
}
`

// listening runs a command that starts the product and waits until it listens.
func listening(t *testing.T, addr string, env []string, args ...string) *site {
	t.Helper()
	home := t.TempDir()
	s, _ := startServer(t, ".", append(env, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home), args...)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return &site{URL: "http://" + addr, server: s}
		}
	}
	t.Fatal("the product does not listen")
	return nil
}

// freeAddr is an address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := sandbox.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// at puts the product in the place of the documents' host.
func (s *site) at(code string) string {
	host := strings.TrimPrefix(s.URL, "http://")
	return strings.ReplaceAll(code, "//localhost:3000", "//"+host)
}

// answer is an answer of the product.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request; headers are "Name: value".
func (s *site) ask(t *testing.T, method, path, body string, headers ...string) *answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
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
	return &answer{resp.StatusCode, resp.Header, b}
}

// fields are those of an answer in JSON.
func (a *answer) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

var foundNode atomic.Pointer[string]

// node is Node with what pages need. To look for it takes as long as a page does,
// and is done once.
func node(t *testing.T) string {
	t.Helper()
	if found := foundNode.Load(); found != nil {
		return *found
	}
	found := testtools.Node(t, "typescript", "ws")
	foundNode.Store(&found)
	return found
}

// transpiled makes JavaScript of the frames with the samples in them, all at
// once: to load the compiler takes longer than to run it.
func (d document) transpiled(t *testing.T, code map[string]string) map[string]string {
	t.Helper()
	program := node(t)
	files, err := filepath.Glob(filepath.Join("testdata", "frames", d.name, "*.tsx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no frames (%v)", err)
	}
	pages := make(map[string]string)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tsx")
		pages[name] = framed(t, readFile(t, file), code)
	}
	in, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	out := output(t, string(in), program, "testdata/harness/transpile.cjs")
	if err := json.Unmarshal([]byte(out), &pages); err != nil {
		t.Fatal(err)
	}
	return pages
}

// output runs a program to its end, which has to be a good one.
func output(t *testing.T, in string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = strings.NewReader(in), &stderr, time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s%s", args[0], err, &stderr, out)
	}
	return string(out)
}

// page is a running front end, or a server of an app in Node.
type page struct {
	t      *testing.T
	lines  *json.Decoder
	stderr lockedBuffer
	ended  func() error
}

// said is a line of a page: what happened, and with what.
type said struct {
	What  string
	Value json.RawMessage
}

// open runs a page against a site. The test ends it, or its deadline.
func (s *samples) open(t *testing.T, name string, to *site, env ...string) *page {
	t.Helper()
	code, ok := s.pages[name]
	if !ok {
		t.Fatalf("there is no page %s", name)
	}
	if to != nil {
		code, env = to.at(code), append(env, "SITE="+to.URL)
	}
	return openCode(t, code, env)
}

// openCode runs a page's JavaScript.
func openCode(t *testing.T, code string, env []string) *page {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.mjs")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := &page{t: t}
	cmd := exec.CommandContext(ctx, node(t), "testdata/harness/page.mjs", file)
	cmd.Env, cmd.Stderr, cmd.WaitDelay = append(os.Environ(), env...), &p.stderr, time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.lines = json.NewDecoder(bufio.NewReader(out))
	p.ended = sync.OnceValue(cmd.Wait)
	t.Cleanup(func() {
		_ = in.Close()
		cancel()
		_ = p.ended()
		if text := p.stderr.String(); t.Failed() && text != "" {
			t.Logf("page: %s", text)
		}
	})
	return p
}

// next is the next line of the page, which has to be about this.
func (p *page) next(what string, value any) {
	p.t.Helper()
	var line said
	if err := p.lines.Decode(&line); err != nil {
		p.t.Fatalf("want %q, got %v: %s", what, err, &p.stderr)
	}
	if line.What != what {
		p.t.Fatalf("want %q, got %q: %s", what, line.What, line.Value)
	}
	if err := json.Unmarshal(line.Value, value); err != nil {
		p.t.Fatalf("%s: %v: %s", what, err, line.Value)
	}
}

// text is the next line of the page, a string.
func (p *page) text(what string) (value string) {
	p.t.Helper()
	p.next(what, &value)
	return value
}

// is checks the next line of the page, of whatever type it is.
func (p *page) is(what string, want any) {
	p.t.Helper()
	var got any
	p.next(what, &got)
	if g, w := asJSON(p.t, got), asJSON(p.t, want); g != w {
		p.t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// logged is what the page has logged until the next line, which has to be this.
func (p *page) logged(until string, value any) (lines []string) {
	p.t.Helper()
	for {
		var line said
		if err := p.lines.Decode(&line); err != nil {
			p.t.Fatalf("want %q, got %v: %s", until, err, &p.stderr)
		}
		if line.What == until {
			if err := json.Unmarshal(line.Value, value); err != nil {
				p.t.Fatal(err)
			}
			return lines
		}
		var text string
		if err := json.Unmarshal(line.Value, &text); err != nil || !strings.HasPrefix(line.What, "console.") {
			p.t.Fatalf("want %q, got %q: %s", until, line.What, line.Value)
		}
		lines = append(lines, text)
	}
}

// end checks that the page says no more and ends well.
func (p *page) end() {
	p.t.Helper()
	var line said
	if err := p.lines.Decode(&line); !errors.Is(err, io.EOF) {
		p.t.Errorf("the page goes on: %s %s (%v)", line.What, line.Value, err)
		return
	}
	if err := p.ended(); err != nil {
		p.t.Errorf("the page ended with %v: %s", err, &p.stderr)
	}
}
