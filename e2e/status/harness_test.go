package status_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func TestMain(m *testing.M) { os.Exit(testsite.RunWithBinary(m)) }

// block is a chain of two that opens fast and stays open.
var block = strings.ReplaceAll(testsite.TwoProviders, "retries 0", "retries 0\n\t\tbreaker {\n\t\t\tconsecutive 2\n\t\t\topen 1m\n\t\t}")

// withPage returns the configuration of a site with the status page at /ops/.
func withPage(s *testsite.Site) string {
	return strings.Replace(s.Caddyfile(block), "\t\tchatkit {", "\t\tchatkit_status /ops*\n\t\tchatkit {", 1)
}

// console is the page that the command serves.
type console struct {
	*chromium.Page

	site *testsite.Site
}

// open starts Caddy and the command, and opens its page.
func open(t *testing.T) *console {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir()) // what Caddy keeps
	s := testsite.NewUnloaded(t)
	s.LoadText(withPage(s))
	p := testsite.Start(t, "chatkit-status", "--page", "localhost:"+testsite.FreePort(t), "--address", strings.TrimPrefix(s.Admin, "http://"))
	url := p.Await(t, `The status page is at (\S+) until`)[1]
	c := &console{chromium.Start(t).Open(t), s}
	origin := strings.TrimSuffix(url, "chatkit/")
	t.Cleanup(func() {
		for _, asked := range c.Requests() {
			if !strings.HasPrefix(asked, origin) {
				t.Errorf("the page asked for %s", asked)
			}
		}
	})
	c.Show(url)
	c.awaitVerdict("ok", "backend serves")
	return c
}

// awaitVerdict waits for the headline.
func (c *console) awaitVerdict(state, title string) {
	c.T.Helper()
	c.Await(`document.querySelector("#verdict").dataset.state == "` + state + `" && document.querySelector("#verdict-title")?.textContent == "` + title + `"`)
}

// card is what the page shows of a provider.
func (c *console) card(name string) string {
	c.T.Helper()
	return regexp.MustCompile(`\s+`).ReplaceAllString(c.Text(".lane[data-provider="+name+"]"), " ")
}

// press opens the buttons of a provider and presses one.
func (c *console) press(name, action string) {
	c.T.Helper()
	form := ".lane[data-provider=" + name + "] details"
	if !chromium.Evaluate[bool](c.Page, `document.querySelector("`+form+`").open`) {
		c.Click(form + " summary")
	}
	c.Click(form + " [data-action=" + action + "]")
}
