// Package chromium drives a real Chromium for tests: pages in private windows,
// what stands in them, and what the browser complains of. The browser ends with
// the test.
package chromium

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
)

// life is the longest a browser lives, Patience how long a test waits for
// anything in its page.
const (
	life     = 4 * time.Minute
	Patience = 20 * time.Second
)

// Browser is a real Chromium.
type Browser struct{ ctx context.Context } // chromedp keeps the browser in it

// Start starts one that ends with the test, whatever becomes of it.
func Start(t *testing.T) *Browser {
	t.Helper()
	path := testtools.Program(t, "chromium", "chromium-browser", "google-chrome")
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors)
	// The context of the test ends before its cleanup, which would be no way
	// to close a browser.
	alive, kill := context.WithTimeout(context.WithoutCancel(t.Context()), life)
	allocator, wait := chromedp.NewExecAllocator(alive, options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && alive.Err() == nil {
			t.Errorf("the browser did not end well: %v", err)
		}
		cancel()
		kill()
		wait()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &Browser{ctx}
}

// Page is a private window, which has no cookies at first.
type Page struct {
	T   *testing.T
	Ctx context.Context // chromedp keeps the tab in it

	*seen
}

// seen is what the browser has told of a page.
type seen struct {
	mu       sync.Mutex
	console  []string         // errors and warnings
	expected []*regexp.Regexp // what of those may be there
	requests []string
	answers  []Answer
}

// Answer is an answer as the browser's network stack saw it.
type Answer struct {
	URL      string
	Kind     network.ResourceType
	Protocol string
	header   network.Headers
}

// Get returns a header, all its values if there are more.
func (a Answer) Get(name string) string {
	for key, value := range a.header {
		if strings.EqualFold(key, name) {
			return fmt.Sprint(value)
		}
	}
	return ""
}

// Open opens a window, which is closed with the test. The test then fails if
// the browser has complained of anything that it does not expect.
func (b *Browser) Open(t *testing.T) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &Page{t, ctx, new(seen)}
	t.Cleanup(func() {
		defer cancel()
		p.checkConsole()
	})
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// Within returns the page for a subtest.
func (p *Page) Within(t *testing.T) *Page {
	t.Helper()
	return &Page{t, p.Ctx, p.seen}
}

// note keeps what the browser has to say. It must not wait for anything.
func (s *seen) note(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		s.console = append(s.console, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		s.console = append(s.console, fmt.Sprintf("console.%s: %v", e.Type, e.Args))
	case *log.EventEntryAdded:
		s.console = append(s.console, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		s.requests = append(s.requests, e.Request.URL)
	case *network.EventResponseReceived:
		s.answers = append(s.answers, Answer{e.Response.URL, e.Type, e.Response.Protocol, e.Response.Headers})
	}
}

// Requests returns the URLs it has asked for.
func (s *seen) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Answers returns the answers to all requests, preflights among them.
func (s *seen) Answers() []Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

func (s *seen) complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.console)
}

// Expect allows lines of the console that match a regular expression.
func (p *Page) Expect(patterns ...string) {
	for _, pattern := range patterns {
		p.expected = append(p.expected, regexp.MustCompile(pattern))
	}
}

// AwaitComplaint waits for a line of the console, which is expected from now on.
func (p *Page) AwaitComplaint(part string) {
	p.T.Helper()
	p.Expect(regexp.QuoteMeta(part))
	for end := time.Now().Add(Patience); ; time.Sleep(5 * time.Millisecond) {
		if slices.ContainsFunc(p.complaints(), func(line string) bool { return strings.Contains(line, part) }) {
			return
		}
		if time.Now().After(end) {
			p.T.Fatalf("the console has no %q: %q", part, p.complaints())
		}
	}
}

func (p *Page) checkConsole() {
	p.T.Helper()
	for _, line := range p.complaints() {
		if !slices.ContainsFunc(p.expected, func(re *regexp.Regexp) bool { return re.MatchString(line) }) {
			p.T.Errorf("the console says %s", line)
		}
	}
}

// Do runs steps of chromedp's.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.T.Fatal(err)
	}
}

// Show loads a page.
func (p *Page) Show(url string) {
	p.T.Helper()
	p.Do(chromedp.Navigate(url))
}

// Click presses a button as soon as it is there, as a person does.
func (p *Page) Click(selector string) {
	p.T.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Close closes the tab, as a person does.
func (p *Page) Close() {
	p.T.Helper()
	if err := chromedp.Cancel(p.Ctx); err != nil {
		p.T.Fatal(err)
	}
}

// Evaluate runs an expression, waits for its promise, and decodes its value.
func Evaluate[T any](p *Page, expression string) (v T) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		"(async () => JSON.stringify(await ("+expression+")))()", chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatalf("%s: %v", expression, err)
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		p.T.Fatalf("%s is %s: %v", expression, text, err)
	}
	return v
}

// Await waits until an expression is true in the page.
func (p *Page) Await(expression string) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, 2*Patience)
	defer cancel()
	poll := chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingInterval(5*time.Millisecond), chromedp.WithPollingTimeout(Patience))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		p.T.Fatalf("waited in vain for %s: %v\n%s", expression, err,
			Evaluate[string](p, "document.body.innerText + JSON.stringify(window.results ?? null)"))
	}
}

// Text returns what an element shows.
func (p *Page) Text(selector string) string {
	p.T.Helper()
	return Evaluate[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// Visible reports whether an element is shown at all.
func (p *Page) Visible(selector string) bool {
	p.T.Helper()
	return Evaluate[bool](p, fmt.Sprintf("document.querySelector(%q).checkVisibility()", selector))
}
