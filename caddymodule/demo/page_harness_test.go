package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	// The demo's Caddyfile needs Caddy's own modules, and the product below.
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testtools"
)

// browserLife is the longest a browser lives, patience how long a test waits
// for anything in its page.
const (
	browserLife = 4 * time.Minute
	patience    = 20 * time.Second
)

// startDemo starts everything the command starts.
func startDemo(t *testing.T) *demo {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir()) // what Caddy keeps
	addr, err := sandbox.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	d, err := start(number, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Errorf("stopping the demo: %v", err)
		}
	})
	return d
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

// page is the demo's page in a real Chromium.
type page struct {
	t   *testing.T
	url string
	ctx context.Context // chromedp keeps the tab in it

	expected string // a part of complaints that may be there

	mu       sync.Mutex
	console  []string // errors and warnings
	requests []string // URLs
}

// openPage opens it, and checks at the end of the test what the browser said.
func openPage(t *testing.T, d *demo, s screen) *page {
	t.Helper()
	path := testtools.Program(t, "chromium", "chromium-browser", "google-chrome")
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	// The context of the test ends before its cleanup, which would be no way
	// to close a browser.
	life, kill := context.WithTimeout(context.WithoutCancel(t.Context()), browserLife)
	allocator, wait := chromedp.NewExecAllocator(life, options...)
	ctx, cancel := chromedp.NewContext(allocator)
	p := &page{t: t, url: d.url(), ctx: ctx}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && life.Err() == nil {
			t.Errorf("the browser did not end well: %v", err)
		}
		cancel()
		kill()
		wait()
		p.check()
	})
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	p.setScreen(s)
	p.do(chromedp.Navigate(p.url + "/"))
	p.await(`document.querySelectorAll(".lane[data-state=closed]").length == 2`)
	return p
}

// setScreen turns to another screen.
func (p *page) setScreen(s screen) {
	p.t.Helper()
	motion := "no-preference"
	if s.calm {
		motion = "reduce"
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: s.scheme}, {Name: "prefers-reduced-motion", Value: motion},
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(s.width, s.height, chromedp.EmulateScale(s.scale)))
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// click presses a button, as a person does.
func (p *page) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// evaluate runs an expression and decodes its value.
func evaluate[T any](p *page, expression string) (v T) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+")"))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		p.t.Fatalf("%s is %s: %v", expression, text, err)
	}
	return v
}

// await waits until an expression is true in the page.
func (p *page) await(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*patience)
	defer cancel()
	poll := chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingInterval(10*time.Millisecond), chromedp.WithPollingTimeout(patience))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		p.t.Fatalf("waited in vain for %s: %v\n%s", expression, err, evaluate[string](p, "document.body.innerText"))
	}
}

// text is what an element shows.
func (p *page) text(selector string) string {
	p.t.Helper()
	return evaluate[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// note keeps what the browser has to say. It must not wait for anything.
func (p *page) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.console = append(p.console, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.console = append(p.console, fmt.Sprintf("console.%s: %v", e.Type, e.Args))
	case *log.EventEntryAdded:
		p.console = append(p.console, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// check checks that the browser complained of nothing, violations of the content
// policy among it, and that the page asked no other origin for anything.
func (p *page) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.console {
		// Chromium's own note on every error status, which the page shows in words.
		noted := strings.Contains(line, "Failed to load resource: the server responded with a status of") &&
			strings.Contains(line, p.url+"/api/custom/")
		if !noted && (p.expected == "" || !strings.Contains(line, p.expected)) {
			p.t.Errorf("the console says %s", line)
		}
	}
	for _, url := range p.requests {
		if !strings.HasPrefix(url, p.url+"/") {
			p.t.Errorf("the page asked for %s", url)
		}
	}
	if len(p.requests) < 6 {
		p.t.Errorf("the browser noted %q, which cannot be all", p.requests)
	}
}
