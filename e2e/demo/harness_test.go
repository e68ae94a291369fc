package demo_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func TestMain(m *testing.M) { os.Exit(testsite.RunWithBinary(m)) }

// startDemo starts the command, which ends by Ctrl-C.
func startDemo(t *testing.T) (p *testsite.Process, url string) {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir()) // what Caddy keeps
	port := testsite.FreePort(t)
	p = testsite.Start(t, "chatkit-demo", "--port", port, "--admin-port", testsite.FreePort(t))
	t.Cleanup(func() { p.Interrupt(t) })
	p.Await(t, `Ctrl-C ends it`)
	return p, "http://localhost:" + port
}

// screen is what the page is shown on.
type screen struct {
	width, height int64
	scale         float64
	scheme        string // light or dark
	calm          bool   // without motion
}

var (
	desktop = screen{1200, 900, 1, "light", false}
	night   = screen{1200, 900, 1, "dark", true}
	phone   = screen{360, 740, 2, "light", false}
)

// page is the demo's page.
type page struct{ *chromium.Page }

// openPage starts the demo and opens its page. At the end of the test it checks
// that the browser complained of nothing, violations of the content policy among
// it, and that the page asked no other origin for anything.
func openPage(t *testing.T, s screen) *page {
	t.Helper()
	_, url := startDemo(t)
	p := &page{chromium.Start(t).Open(t)}
	// Chromium's own note on every error status, which the page shows in words.
	p.Expect(`Failed to load resource: the server responded with a status of .*` + regexp.QuoteMeta(url) + `/api/custom/`)
	t.Cleanup(func() {
		for _, asked := range p.Requests() {
			if !strings.HasPrefix(asked, url+"/") {
				t.Errorf("the page asked for %s", asked)
			}
		}
		if n := len(p.Requests()); n < 6 {
			t.Errorf("the browser noted %d requests, which cannot be all", n)
		}
	})
	p.setScreen(s)
	p.Show(url + "/")
	p.Await(`document.querySelectorAll(".lane[data-state=closed]").length == 2`)
	return p
}

// setScreen turns to another screen.
func (p *page) setScreen(s screen) {
	p.T.Helper()
	motion := "no-preference"
	if s.calm {
		motion = "reduce"
	}
	_, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: s.scheme}, {Name: "prefers-reduced-motion", Value: motion},
	}})
	if err != nil {
		p.T.Fatal(err)
	}
	p.Do(chromedp.EmulateViewport(s.width, s.height, chromedp.EmulateScale(s.scale)))
}
