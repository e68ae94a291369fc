package caddymodule_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testtools"
)

// browser is a real Chromium, and the server of the front end that it opens.
type browser struct {
	ctx context.Context // chromedp keeps the browser in it

	// The two origins of the front end; a site is on 127.0.0.1 and another port.
	sameSite, crossSite string
}

// browserLife is the longest a browser lives.
const browserLife = time.Minute

// startBrowser starts one that ends with the test, whatever becomes of it.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := testtools.Program(t, "chromium", "chromium-browser", "google-chrome")
	front := httptest.NewServer(http.FileServer(http.Dir("testdata/frontend")))
	t.Cleanup(front.Close)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors)
	// The context of the test ends before its cleanup, which would be no way
	// to close a browser.
	life, kill := context.WithTimeout(context.WithoutCancel(t.Context()), browserLife)
	allocator, wait := chromedp.NewExecAllocator(life, options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && life.Err() == nil {
			t.Errorf("the browser did not end well: %v", err)
		}
		cancel()
		kill()
		wait()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &browser{ctx: ctx, sameSite: front.URL, crossSite: strings.Replace(front.URL, "127.0.0.1", "localhost", 1)}
}

// page is the front end in a window, which has no cookies at first.
type page struct {
	t   *testing.T
	ctx context.Context // chromedp keeps the tab in it

	mu       sync.Mutex
	console  []string        // errors and warnings
	expected []string        // parts of those that may be there
	answers  []browserAnswer // of the site's routes
}

// browserAnswer is an answer as the browser's network stack saw it.
type browserAnswer struct {
	kind     network.ResourceType
	protocol string
	header   network.Headers
}

// get is a header, all its values if there are more.
func (a browserAnswer) get(name string) string {
	for key, value := range a.header {
		if strings.EqualFold(key, name) {
			return fmt.Sprint(value)
		}
	}
	return ""
}

// open opens the front end for a site, in a private window. It is closed before
// the site is.
func (b *browser) open(t *testing.T, s *site, origin string) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &page{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, func(event any) { p.note(s, event) }); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		p.checkConsole()
	})
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	p.show(s, origin, "include")
	return p
}

// show loads the front end.
func (p *page) show(s *site, origin, credentials string) {
	p.t.Helper()
	query := url.Values{"product": {s.URL}, "credentials": {credentials}}
	p.do(chromedp.Navigate(origin + "/?" + query.Encode()))
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browserLife/2)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// say types a message and sends it, as a person does.
func (p *page) say(text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS("#text"), text), chromedp.Click(chromedp.CSS("#send")))
}

// click presses a button as soon as it is there.
func (p *page) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// evaluate runs an expression, waits for its promise, and decodes its value.
func evaluate[T any](p *page, expression string) (v T) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browserLife/2)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		"(async () => JSON.stringify(await ("+expression+")))()", chromedp.EvalAwaitPromise))
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
	ctx, cancel := context.WithTimeout(p.ctx, browserLife/2)
	defer cancel()
	poll := chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingInterval(5*time.Millisecond), chromedp.WithPollingTimeout(15*time.Second))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		p.t.Fatalf("waited in vain for %s: %v\n%s", expression, err, evaluate[json.RawMessage](p, "window.results"))
	}
}

// awaitReply waits until the last reply has come to its end.
func (p *page) awaitReply() reply {
	p.t.Helper()
	p.await("results.replies.at(-1)?.ended")
	return evaluate[reply](p, "results.replies.at(-1)")
}

// text is what an element shows.
func (p *page) text(selector string) string {
	p.t.Helper()
	return evaluate[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// visible tells whether an element is shown at all.
func (p *page) visible(selector string) bool {
	p.t.Helper()
	return evaluate[bool](p, fmt.Sprintf("document.querySelector(%q).checkVisibility()", selector))
}

// close closes the tab, as a person does.
func (p *page) close() {
	p.t.Helper()
	if err := chromedp.Cancel(p.ctx); err != nil {
		p.t.Fatal(err)
	}
}

// outcome is what the page knows of an exchange.
type outcome struct {
	Status      int            `json:"status"`
	ContentType string         `json:"contentType"`
	Provider    string         `json:"provider"`
	Reason      string         `json:"reason"`
	RequestID   string         `json:"requestId"`
	RetryAfter  string         `json:"retryAfter"`
	Body        map[string]any `json:"body"`
	Error       string         `json:"error"` // the name of what fetch has thrown
}

// socketOutcome is what it knows of a WebSocket.
type socketOutcome struct {
	Opened   bool     `json:"opened"`
	Messages []string `json:"messages"`
	Code     int      `json:"code"`
	WasClean bool     `json:"wasClean"`
}

// reply is what it knows of one that streams.
type reply struct {
	outcome

	Events []struct {
		Event json.RawMessage `json:"event"`
		At    float64         `json:"at"` // performance.now()
	} `json:"events"`
	Canceled   bool  `json:"canceled"`
	CanceledAt int64 `json:"canceledAt"` // milliseconds, by the clock of this machine
}

// check compares the head of an answer.
func (o outcome) check(t *testing.T, status int, provider, reason string) {
	t.Helper()
	if o.Error != "" || o.Status != status || o.Provider != provider || o.Reason != reason || o.RequestID == "" {
		t.Errorf("the page got %+v, want %d from %q because %q, with an id", o, status, provider, reason)
	}
}

// checkEvents compares all events, byte by byte but for the white space that is
// none of JSON's business.
func (r reply) checkEvents(t *testing.T, want []string) {
	t.Helper()
	got := make([]string, len(r.Events))
	for i, e := range r.Events {
		got[i] = string(e.Event)
		if i > 0 && e.At < r.Events[i-1].At {
			t.Errorf("event %d came before the one in front of it", i)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// note keeps what the browser has to say. It must not wait for anything.
func (p *page) note(s *site, event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.console = append(p.console, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.console = append(p.console, fmt.Sprintf("console.%s: %v", e.Type, e.Args))
	case *log.EventEntryAdded:
		p.console = append(p.console, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
	case *network.EventResponseReceived:
		if strings.HasPrefix(e.Response.URL, s.URL+"/") && !strings.HasSuffix(e.Response.URL, "/login") {
			p.answers = append(p.answers, browserAnswer{e.Type, e.Response.Protocol, e.Response.Headers})
		}
	}
}

// complaints are what the console has so far.
func (p *page) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.console)
}

// awaitComplaint waits for a line of the console, which is expected from now on.
func (p *page) awaitComplaint(part string) {
	p.t.Helper()
	p.expected = append(p.expected, part)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if slices.ContainsFunc(p.complaints(), func(line string) bool { return strings.Contains(line, part) }) {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the console has no %q: %q", part, p.complaints())
		}
	}
}

// checkConsole checks that the browser complained of nothing unexpected.
func (p *page) checkConsole() {
	p.t.Helper()
	for _, line := range p.complaints() {
		if !slices.ContainsFunc(p.expected, func(part string) bool { return strings.Contains(line, part) }) {
			p.t.Errorf("the console says %s", line)
		}
	}
}

// checkCORS checks that every answer of the site lets the origin in, with
// credentials, and that the browser asked by preflights of its own.
func (p *page) checkCORS(origin string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	kinds := make(map[network.ResourceType]int)
	for _, a := range p.answers {
		kinds[a.kind]++
		if a.get(allowOrigin) != origin || a.get(allowCredentials) != "true" {
			p.t.Errorf("an answer to a %s request allows %q, credentials %q", a.kind, a.get(allowOrigin), a.get(allowCredentials))
		}
	}
	if kinds[network.ResourceTypePreflight] == 0 || kinds[network.ResourceTypeFetch] == 0 {
		p.t.Errorf("the browser saw %v, want preflights and requests", kinds)
	}
}

// protocols are the versions of HTTP that the answers came over.
func (p *page) protocols() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.answers {
		if a.protocol != "" && !slices.Contains(all, a.protocol) {
			all = append(all, a.protocol)
		}
	}
	return all
}

// chatBackend is a backend for all that the front end does. Its streams wait
// before every event but the first until the test lets it out, if it has steps.
type chatBackend struct {
	*taker

	steps chan struct{}
	gone  chan time.Time  // when the client of a stream had left
	over  <-chan struct{} // the test is, whoever still waits
}

// newChatBackend starts one.
func newChatBackend(t *testing.T, steps chan struct{}) *chatBackend {
	t.Helper()
	b := &chatBackend{steps: steps, gone: make(chan time.Time, 8), over: t.Context().Done()}
	b.taker = newTaker(t, b.serve)
	return b
}

// newChatBackendAt starts one at an address that nobody listened on so far.
func newChatBackendAt(t *testing.T, addr string) *chatBackend {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b := &chatBackend{taker: &taker{}}
	b.then = b.serve
	server := httptest.NewUnstartedServer(http.HandlerFunc(b.take))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return b
}

// chatEvents are the events of a reply, as JSON.stringify writes them.
var chatEvents = []string{
	`{"type":"thread.created","thread":{"id":"thr_1","created_at":"2026-01-02T03:04:05Z","status":{"type":"active"},"metadata":{}}}`,
	`{"type":"thread.item.done","item":{"id":"msg_1","thread_id":"thr_1","type":"user_message","content":[{"type":"input_text","text":"Hi"}]}}`,
	`{"type":"thread.item.added","item":{"id":"msg_2","thread_id":"thr_1","type":"assistant_message","content":[]}}`,
	`{"type":"thread.item.updated","item_id":"msg_2","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Grüße "}}`,
	`{"type":"thread.item.updated","item_id":"msg_2","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"vom "}}`,
	`{"type":"thread.item.updated","item_id":"msg_2","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"zweiten 🎉"}}`,
	`{"type":"thread.item.done","item":{"id":"msg_2","thread_id":"thr_1","type":"assistant_message","content":[{"type":"output_text","text":"` + chatText + `","annotations":[]}]}}`,
}

// chatText is the text of the reply.
const chatText = "Grüße vom zweiten 🎉"

func (b *chatBackend) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/api/sessions":
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"session_id":"session-of-the-second","expires_at":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case strings.HasPrefix(r.URL.Path, "/ws/chat/"):
		echoSocket(w, r)
	case r.URL.Path == "/chatkit" && strings.Contains(b.bodyOf(r), `"type":"threads.list"`):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"id":"thr_1"}],"has_more":false}`)
	default:
		b.stream(w, r)
	}
}

// bodyOf is the body of a request that was taken.
func (b *chatBackend) bodyOf(r *http.Request) string {
	all := b.received()
	return all[slices.IndexFunc(all, func(got received) bool { return got.Request == r })].body
}

// stream sends the events, each in two pieces: the cut goes through a letter of
// more than one byte where there is one.
func (b *chatBackend) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i, event := range chatEvents {
		if i > 0 && b.steps != nil {
			select {
			case <-b.steps:
			case <-r.Context().Done():
				b.gone <- time.Now()
				return
			case <-b.over:
				return
			}
		}
		frame := "data: " + event + "\n\n"
		cut := strings.IndexFunc(frame, func(c rune) bool { return c >= 0x80 }) + 1
		for _, piece := range []string{frame[:cut], frame[cut:]} {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// paths are those of the requests it got.
func (b *chatBackend) paths() (paths []string) {
	for _, r := range b.received() {
		paths = append(paths, r.URL.Path)
	}
	return paths
}

// checkPaths compares them.
func (b *chatBackend) checkPaths(t *testing.T, want ...string) {
	t.Helper()
	if got := b.paths(); !slices.Equal(got, want) {
		t.Errorf("the second backend was asked for %q, want %q", got, want)
	}
}
