package docs_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// console is where the commands of a page run: what their words stand for here.
type console struct {
	t     *testing.T
	page  string
	words map[string]string
}

// consoles are the pages with commands, and what has to run for them.
var consoles = map[string]func(c *console){
	"README.md":                       readme,
	"docs/getting-started.md":         gettingStarted,
	"docs/guides/backend-contract.md": backendContract,
	"docs/reference/http-api.md":      httpAPI,
	"docs/reference/admin-api.md":     adminAPI,
	"docs/operate/deploy.md":          deploy,
	"docs/operate/monitor.md":         monitor,
	"docs/operate/troubleshoot.md":    troubleshoot,
}

// Every command with an answer that stands in a page gives that answer.
func TestConsoles(t *testing.T) {
	for _, program := range []string{"curl", "bash"} {
		testtools.Program(t, program)
	}
	n := 0
	for _, page := range shipped.Pages(t) {
		blocks := shipped.Snippets(t, page, "console")
		if len(blocks) == 0 {
			continue
		}
		for _, b := range blocks {
			n += len(commands(b.Text))
		}
		t.Run(page, func(t *testing.T) {
			run := consoles[page]
			if run == nil {
				t.Fatal("nothing runs its commands")
			}
			run(&console{t, page, make(map[string]string)})
		})
	}
	fmt.Printf("\tdocs: ran %d commands of the pages\n", n)
}

// command is a line behind a $, and the answer below it.
type command struct{ line, answer string }

func commands(text string) (all []command) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, command{line: strings.TrimSpace(rest)})
		} else if len(all) > 0 {
			all[len(all)-1].answer += line
		}
	}
	return all
}

// counter is the value of a series: it counts for the whole process, so other tests
// of this package have made it another one than a page has.
var counter = regexp.MustCompile(`(?m)(\} )[0-9]+$`)

// matches reports whether an answer is as documented, where … stands for anything.
func matches(got, documented string) bool {
	got, documented = counter.ReplaceAllString(got, "${1}n"), counter.ReplaceAllString(documented, "${1}n")
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(documented)), "…", "(?:.|\n)*?")
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(strings.TrimSpace(strings.ReplaceAll(got, "\r", "")))
}

// run runs the commands of a block and returns what the last one has printed.
func (c *console) run(b shipped.Snippet) (last string) {
	c.t.Helper()
	for _, cmd := range commands(b.Text) {
		line := cmd.line
		for word, meaning := range c.words {
			line = strings.ReplaceAll(line, word, meaning)
		}
		sh := exec.CommandContext(c.t.Context(), "bash", "-c", line)
		out, err := sh.Output()
		if err != nil {
			c.t.Errorf("%s: %s: %v: %s", b, line, err, out)
		}
		last = string(out)
		if !matches(last, cmd.answer) {
			c.t.Errorf("%s: %s printed\n%s, the page has\n%s", b, cmd.line, last, cmd.answer)
		}
	}
	return last
}

// all runs all blocks of the page.
func (c *console) all() {
	c.t.Helper()
	for _, b := range c.blocks() {
		c.run(b)
	}
}

func (c *console) blocks() []shipped.Snippet { return shipped.Snippets(c.t, c.page, "console") }

// site starts a site with a block, which the commands ask, as its admin API.
func (c *console) site(block string) *testsite.Site {
	c.t.Helper()
	s := testsite.New(c.t, block)
	address := " --address " + strings.TrimPrefix(s.Admin, "http://")
	maps.Copy(c.words, map[string]string{
		"https://chat.example.com": s.URL, "http://localhost:2019": s.Admin,
		"caddy chatkit-status":  testsite.Binary + " chatkit-status" + address,
		"caddy chatkit-breaker": testsite.Binary + " chatkit-breaker" + address,
	})
	return s
}

// backend starts the example backend in Go and returns its URL.
func (c *console) backend() (url string, p *testsite.Process) {
	c.t.Helper()
	p = startBackend(c.t, ".", goBackend(c.t))
	return p.Await(c.t, `running on (http://127\.0\.0\.1:\d+)`)[1], p
}

func adminAPI(c *console) {
	c.site(testsite.TwoProviders)
	c.all()
}

// httpAPI has a backend that is dead in the last section.
func httpAPI(c *console) {
	url, backend := c.backend()
	c.site("\nanonymous\nchatkit /chatkit\nprovider backend " + url + " {\nkey " + backendKey + "\n}")
	for _, b := range c.blocks() {
		if b.Heading == "Nobody could serve" {
			backend.Stop()
		}
		c.run(b)
	}
}

func backendContract(c *console) {
	c.words["http://127.0.0.1:8000"], _ = c.backend()
	c.all()
}

// deploy has a Caddyfile of the product to validate.
func deploy(c *console) {
	s := c.site(testsite.TwoProviders)
	file := filepath.Join(c.t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, []byte(s.Caddyfile(testsite.TwoProviders)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.words["caddy list-modules"] = testsite.Binary + " list-modules"
	c.words["caddy validate --config Caddyfile"] = testsite.Binary + " validate --adapter caddyfile --config " + file + " 2>&1"
	c.all()
}

func monitor(c *console) {
	c.site(testsite.TwoProviders).Session()
	c.all()
}

// troubles bring the product into the state that a section is about.
var troubles = map[string]func(s *testsite.Site){
	"The provider refuses":              func(s *testsite.Site) { testsite.Set(s.T, s.Backend, sandbox.Status422) },
	"The first provider does not serve": func(s *testsite.Site) { testsite.Set(s.T, s.Backend, sandbox.Refuse) },
	"All providers fail": func(s *testsite.Site) {
		testsite.Set(s.T, s.Backend, sandbox.Refuse)
		testsite.Set(s.T, s.OpenAI, sandbox.Status500)
	},
	"Nobody is asked": func(s *testsite.Site) {
		for _, name := range []string{"backend", "openai"} {
			testsite.Do(s.T, s.Client, http.MethodPost, s.Admin+"/chatkit/providers/"+name+"/open", `{"for":"10m","reason":"deploy"}`)
		}
	},
}

// troubleshoot gives each section a product of its own, in the state that it is
// about.
func troubleshoot(c *console) {
	for _, b := range c.blocks() {
		c.t.Run(b.Heading, func(t *testing.T) {
			within := &console{t, c.page, make(map[string]string)}
			s := within.site(testsite.TwoProviders)
			if trouble := troubles[b.Heading]; trouble != nil {
				trouble(s)
			}
			within.run(b)
		})
	}
}

// readme runs the first Caddyfile of the README before two backends, of which the
// first ends after the first command.
func readme(c *console) {
	const heading = "Put it in front of a backend"
	text := shipped.Section(c.t, c.page, heading, "caddyfile")[0].Text
	var first *testsite.Process
	for _, port := range []string{"8001", "8000"} {
		backend := testsite.StartProgram(c.t, ".", []string{"PORT=" + testsite.FreePort(c.t)}, goBackend(c.t))
		text = strings.ReplaceAll(text, "http://127.0.0.1:"+port, backend.Await(c.t, `running on (http://127\.0\.0\.1:\d+)`)[1])
		first = backend
	}
	admin, url := testsite.FreeAddr(c.t), testsite.Nobody(c.t)
	c.words["http://localhost:8080"] = url
	c.words["go run ./cmd/caddy chatkit-status"] = testsite.Binary + " chatkit-status --address " + admin
	startCaddy(c.t, "{\nadmin "+admin+"\npersist_config off\n}\n"+strings.ReplaceAll(text, "http://localhost:8080", url))
	blocks := c.blocks()
	c.run(blocks[0])
	first.Stop()
	for _, b := range blocks[1:] {
		c.run(b)
	}
}

// gettingStarted follows the page from its first Caddyfile to its end.
func gettingStarted(c *console) {
	t, program := c.t, goBackend(c.t)
	port, admin, url := testsite.FreePort(t), testsite.FreeAddr(t), testsite.Nobody(t)
	env := []string{"PORT=" + port}
	backend := testsite.StartProgram(t, ".", env, program)
	backend.Await(t, "running on")
	app := testsite.FreeAddr(t)
	testsite.StartProgram(t, ".", nil, testsite.Binary, "respond", "--listen", app, "This is the app.").Await(t, "Server address")
	openAI := testsite.StandIn(t, sandbox.NewOpenAI, sandbox.Options{Key: "sk-docs"})
	c.words["http://localhost:8080"] = url
	c.words["./caddy chatkit-status"] = testsite.Binary + " chatkit-status --address " + admin
	start := func(heading string) *testsite.Process {
		text := shipped.Section(t, c.page, heading, "caddyfile")[0].Text
		for old, replacement := range map[string]string{
			"http://localhost:8080": url, "http://127.0.0.1:8000": "http://127.0.0.1:" + port,
			"127.0.0.1:3000":    app,
			"provider openai {": "provider openai {\nbase_url " + openAI.URL() + "/v1",
		} {
			text = strings.ReplaceAll(text, old, replacement)
		}
		return startCaddy(t, "{\nadmin "+admin+"\npersist_config off\n}\n"+text)
	}
	section := func(heading string) []shipped.Snippet { return shipped.Section(t, c.page, heading, "console") }

	caddy := start("Put it in front of a backend")
	blocks := section("Put it in front of a backend")
	secret := regexp.MustCompile(`"client_secret":"([^"]+)"`).FindStringSubmatch(c.run(blocks[0]))
	if secret == nil {
		t.Fatal("no session")
	}
	c.words["SECRET"] = secret[1]
	for _, b := range blocks[1:] {
		c.run(b)
	}
	backend.Stop()
	for _, b := range section("Stop the backend") {
		c.run(b)
	}
	caddy.Stop()
	t.Setenv("OPENAI_API_KEY", "sk-docs")
	t.Setenv("CHATKIT_WORKFLOW_ID", "wf_docs")
	start("Add a fallback")
	c.run(section("Add a fallback")[0])

	// "Start the backend again. The next session is the backend's."
	testsite.StartProgram(t, ".", env, program).Await(t, "running on")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		a := testsite.Do(t, http.DefaultClient, http.MethodPost, url+"/api/custom/session", "")
		if a.Provider() == "backend" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the backend does not serve again: %s", a.Raw)
		}
	}
}
