package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// browser is Chromium, and the server of the front end that it opens.
type browser struct {
	*chromium.Browser

	// The two origins of the front end; a site is on 127.0.0.1 and another port.
	sameSite, crossSite string
}

func start(t *testing.T) *browser {
	t.Helper()
	front := httptest.NewServer(http.FileServer(http.Dir("testdata/frontend")))
	t.Cleanup(front.Close)
	return &browser{chromium.Start(t), front.URL, strings.Replace(front.URL, "127.0.0.1", "localhost", 1)}
}

// page is the front end in a window.
type page struct {
	*chromium.Page

	site *testsite.Site
}

// open opens the front end for a site.
func (b *browser) open(t *testing.T, s *testsite.Site, origin string) *page {
	t.Helper()
	p := &page{b.Open(t), s}
	p.show(origin, "include")
	return p
}

// show loads the front end.
func (p *page) show(origin, credentials string) {
	p.T.Helper()
	p.Show(origin + "/?" + url.Values{"product": {p.site.URL}, "credentials": {credentials}}.Encode())
}

// say types a message and sends it, as a person does.
func (p *page) say(text string) {
	p.T.Helper()
	p.Do(chromedp.SendKeys(chromedp.CSS("#text"), text), chromedp.Click(chromedp.CSS("#send")))
}

// awaitReply waits until the last reply has come to its end.
func (p *page) awaitReply() reply {
	p.T.Helper()
	p.Await("results.replies.at(-1)?.ended")
	return chromium.Evaluate[reply](p.Page, "results.replies.at(-1)")
}

// answers are those of the site's own routes.
func (p *page) answers() []chromium.Answer {
	return slices.DeleteFunc(p.Answers(), func(a chromium.Answer) bool {
		return !strings.HasPrefix(a.URL, p.site.URL+"/") || strings.HasSuffix(a.URL, "/login")
	})
}

// checkCORS checks that every answer of the site lets the origin in, with
// credentials, and that the browser asked by preflights of its own.
func (p *page) checkCORS(origin string) {
	p.T.Helper()
	kinds := make(map[network.ResourceType]int)
	for _, a := range p.answers() {
		kinds[a.Kind]++
		allowed, credentials := a.Get("Access-Control-Allow-Origin"), a.Get("Access-Control-Allow-Credentials")
		if allowed != origin || credentials != "true" {
			p.T.Errorf("an answer to a %s request allows %q, credentials %q", a.Kind, allowed, credentials)
		}
	}
	if kinds[network.ResourceTypePreflight] == 0 || kinds[network.ResourceTypeFetch] == 0 {
		p.T.Errorf("the browser saw %v, want preflights and requests", kinds)
	}
}

// protocols are the versions of HTTP that the answers came over.
func (p *page) protocols() (all []string) {
	for _, a := range p.answers() {
		if a.Protocol != "" && !slices.Contains(all, a.Protocol) {
			all = append(all, a.Protocol)
		}
	}
	return all
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
	Raw        string `json:"raw"` // the body as far as it came
	Canceled   bool   `json:"canceled"`
	CanceledAt int64  `json:"canceledAt"` // milliseconds, by the clock of this machine
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
