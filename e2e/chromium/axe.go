package chromium

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
)

// finding is what axe-core says of a page.
type finding struct {
	ID, Impact, Help string
	Nodes            []string
}

// CheckAxe looks for what keeps people from using the page, as far as axe-core
// sees it. when says what the page shows.
func (p *Page) CheckAxe(when string) {
	p.T.Helper()
	node := testtools.Node(p.T, "axe-core")
	//nolint:gosec // Node, found on the path
	path, err := exec.CommandContext(p.T.Context(), node, "-p", `require.resolve("axe-core/axe.min.js")`).Output()
	if err != nil {
		p.T.Fatal(err)
	}
	source, err := os.ReadFile(strings.TrimSpace(string(path)))
	if err != nil {
		p.T.Fatal(err)
	}
	// The browser's own tool runs it: the page's content policy would not.
	p.Do(chromedp.Evaluate[chromedp.Void](string(source) + "; void 0"))
	found := Evaluate[[]finding](p, `axe.run().then(({ violations }) => violations.map((v) => ({
		ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map((n) => n.html.slice(0, 120) + " " + n.failureSummary),
	})))`)
	for _, f := range found {
		p.T.Errorf("%s: axe: %s (%s): %s\n%s", when, f.Help, f.Impact, f.ID, strings.Join(f.Nodes, "\n"))
	}
	if n := Evaluate[int](p, `axe.run().then(({ passes }) => passes.length)`); n < 10 {
		p.T.Errorf("%s: axe looked at %d rules only", when, n)
	}
}

// Emulate turns to a screen of a size, in a colour scheme (light or dark).
func (p *Page) Emulate(width, height int64, scale float64, scheme string) {
	p.T.Helper()
	_, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
	}})
	if err != nil {
		p.T.Fatal(err)
	}
	p.Do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
}

// CheckWidth fails if the page is wider than its screen.
func (p *Page) CheckWidth(when string) {
	p.T.Helper()
	if over := Evaluate[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		p.T.Errorf("%s: the page is %d too wide: %s", when, over, fmt.Sprint(Evaluate[[]string](p,
			`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + "." + e.className)`)))
	}
}
