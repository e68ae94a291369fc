package samples_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// root is the root of the repository.
const root = "../.."

func TestMain(m *testing.M) {
	// The gate shows lines that begin so; of a test that passes it shows nothing.
	switch dir, err := seeds(); {
	case err != nil:
		fmt.Printf("\tsamples: %v\n", err)
	case dir == "":
		fmt.Println("\tsamples: our own only, the documents are not here")
	default:
		fmt.Printf("\tsamples: our own, and those of the documents in %s\n", dir)
	}
	os.Exit(testsite.RunWithBinary(m))
}

// running is what a server prints when it listens.
const running = `running on (http://127\.0\.0\.1:\d+)`

// site is the product, started with a Caddyfile, or what stands in its place.
type site struct{ URL string }

// serve starts the product with a chatkit block that holds these lines.
func serve(t *testing.T, lines ...string) *site {
	t.Helper()
	addr := testsite.FreeAddr(t)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, fmt.Appendf(nil, siteFile, addr, strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return listening(t, addr, nil, testsite.Binary, "run", "--adapter", "caddyfile", "--config", file)
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
	p := testsite.StartProgram(t, ".", append(env, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home), args...)
	p.Await(t, "serving initial configuration")
	return &site{"http://" + addr}
}

// at puts the product in the place of the documents' host.
func (s *site) at(code string) string {
	host := strings.TrimPrefix(s.URL, "http://")
	return strings.ReplaceAll(code, "//localhost:3000", "//"+host)
}

// ask sends a request; headers are "Name: value".
func (s *site) ask(t *testing.T, method, path, body string, headers ...string) testsite.Answer {
	t.Helper()
	return testsite.Do(t, http.DefaultClient, method, s.URL+path, body, headers...)
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
	out := testtools.Output(t, string(in), program, "testdata/harness/transpile.cjs")
	if err := json.Unmarshal([]byte(out), &pages); err != nil {
		t.Fatal(err)
	}
	return pages
}

// page is a running front end, or a server of an app in Node.
type page struct {
	*testtools.Peer

	t     *testing.T
	lines *json.Decoder
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
	p := testtools.Start(t, ".", env, node(t), "testdata/harness/page.mjs", file)
	return &page{p, t, json.NewDecoder(p.Out)}
}

// line is the next line of the page; wanted is what it should be about.
func (p *page) line(wanted string) (line said) {
	p.t.Helper()
	if err := p.lines.Decode(&line); err != nil {
		p.t.Fatalf("want %q, got %v: %s", wanted, err, &p.Err)
	}
	return line
}

// decode reads the value of a line that has to be about this.
func (s said) decode(t *testing.T, what string, value any) {
	t.Helper()
	if s.What != what {
		t.Fatalf("want %q, got %q: %s", what, s.What, s.Value)
	}
	if err := json.Unmarshal(s.Value, value); err != nil {
		t.Fatalf("%s: %v: %s", what, err, s.Value)
	}
}

// next is the next line of the page, which has to be about this.
func (p *page) next(what string, value any) {
	p.t.Helper()
	p.line(what).decode(p.t, what, value)
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
		line, text := p.line(until), ""
		if !strings.HasPrefix(line.What, "console.") {
			line.decode(p.t, until, value)
			return lines
		}
		line.decode(p.t, line.What, &text)
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
	if err := p.Wait(); err != nil {
		p.t.Errorf("the page ended with %v: %s", err, &p.Err)
	}
}
