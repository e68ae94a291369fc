package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	// grace is how long a turn goes on that seems to be stopped.
	grace = 5 * time.Second

	turnOK       = `turns_total{end="ok"}`
	turnCanceled = `turns_total{end="canceled"}`
	turnAttached = "turns_attached_total"
)

// chat is a page in the middle of a turn: it has two events of it.
type chat struct {
	*page

	backend *chatBackend
	line    *line
	before  map[string]float64 // the metrics
}

// startTurn opens a page for a site of its own, and begins a turn.
func (b *browser) startTurn(t *testing.T, protocol string) *chat {
	t.Helper()
	c := &chat{backend: newChatBackend(t, make(chan struct{})), before: make(map[string]float64)}
	s := testsite.NewUnloaded(t)
	text := map[string]func(string) string{"http/1.1": s.Caddyfile, "h2": s.SecureCaddyfile}[protocol]
	s.LoadText(text(testsite.Backends("session off\n "+allowing(b.crossSite), c.backend.URL)))
	for _, series := range []string{turnOK, turnCanceled, turnAttached} {
		c.before[series] = s.Metric(series)
	}
	c.line = newLine(t, s.URL)
	s.URL = c.line.URL
	c.page = b.open(t, s, b.crossSite)
	c.say("Hi")
	c.Await("results.replies.at(-1)?.events.length === 1")
	c.step(1)
	c.Await("results.replies.at(-1).events.length === 2")
	if got := c.protocols(); len(got) != 1 || got[0] != protocol {
		t.Fatalf("the browser spoke %q, want %s", got, protocol)
	}
	return c
}

// step lets the backend send events.
func (c *chat) step(n int) {
	c.T.Helper()
	for range n {
		select {
		case c.backend.steps <- struct{}{}:
		case at := <-c.backend.gone:
			c.T.Fatalf("the backend was canceled, %s ago", time.Since(at))
		case <-time.After(10 * time.Second):
			c.T.Fatal("the backend does not go on")
		}
	}
}

// finish lets the backend go on to its end, which it stores.
func (c *chat) finish() {
	c.T.Helper()
	c.step(len(chatEvents) - 2)
	testsite.Receive(c.T, c.backend.whole)
}

// check compares how many turns have ended in each way, and how many clients have
// attached.
func (c *chat) check(ok, canceled, attached float64) {
	c.T.Helper()
	c.site.Await("turns_in_flight", 0)
	for series, want := range map[string]float64{turnOK: ok, turnCanceled: canceled, turnAttached: attached} {
		if got := c.site.Metric(series) - c.before[series]; got != want {
			c.T.Errorf("%s: %v, want %v", series, got, want)
		}
	}
}

// body is the whole body of the answer.
func body() string { return "data: " + strings.Join(chatEvents, "\n\ndata: ") + "\n\n" }

// again lets the page send the same request once more, and checks that it gets
// everything. meanwhile is what happens when its answer has begun.
func (c *chat) again(meanwhile func()) {
	c.T.Helper()
	c.Click("#retry")
	c.Await("results.replies.length === 2 && results.replies[1].events.length >= 2")
	meanwhile()
	got := c.awaitReply()
	got.check(c.T, 200, "a", "")
	got.checkEvents(c.T, chatEvents)
	if got.Raw != body() {
		c.T.Errorf("the body is %q, want %q", got.Raw, body())
	}
	if first := chromium.Evaluate[string](c.Page, "results.replies[0].raw"); !strings.HasPrefix(got.Raw, first) {
		c.T.Errorf("before the loss it was %q", first)
	}
	checkThread(c.T, c.page)
	c.backend.checkPaths(c.T, "/chatkit")
}

// The user's stop is honored where it can be told from a loss: over HTTP/2 the
// backend is canceled after the grace time. Over HTTP/1.1 the turn comes to its end.
func TestBrowserTurnStopped(t *testing.T) {
	b := start(t)
	t.Run("h2", func(t *testing.T) {
		c := b.startTurn(t, "h2")
		c.Click("#cancel")
		stopped := time.UnixMilli(c.awaitReply().CanceledAt)
		if after := testsite.Receive(t, c.backend.gone).Sub(stopped); after < grace-time.Second || after > grace+2*time.Second {
			t.Errorf("the backend was canceled after %s", after)
		}
		c.check(0, 1, 0)
	})
	t.Run("http/1.1", func(t *testing.T) {
		c := b.startTurn(t, "http/1.1")
		c.Click("#cancel")
		c.awaitReply()
		time.Sleep(grace + time.Second)
		c.finish()
		c.check(1, 0, 0)
	})
}

// A page that is loaded anew in the middle of a turn keeps it, by what every page asks
// for when it is loaded.
func TestBrowserTurnReloaded(t *testing.T) {
	b := start(t)
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, load := range []string{`"threads.list"`, `"threads.get_by_id", {thread_id: "thr_1"}`} {
			t.Run(protocol+" "+load, func(t *testing.T) {
				c := b.startTurn(t, protocol)
				c.Do(chromedp.Reload())
				chromium.Evaluate[outcome](c.Page, "chat.request("+load+")").check(t, 200, "a", "")
				time.Sleep(grace + time.Second)
				c.finish()
				c.check(1, 0, 0)
				c.backend.checkPaths(t, "/chatkit", "/chatkit")
			})
		}
	}
}

// losses are the ways in which a browser loses its connection. DevTools' own offline
// mode is none of them: it refuses new requests and leaves streams alone.
var losses = []struct {
	name string
	lose func(*line)
	late bool // back when the turn is over
}{
	{"broken line", (*line).breaks, false},
	{"broken line, back when it is over", (*line).breaks, true},
	{"dead line", (*line).dies, false}, // the site believes that it has a reader
}

// A browser that loses its connection in the middle of a turn takes nothing away from
// it: the backend sends and stores all of it. Back online, the same request gets
// everything, while the turn runs and afterwards, from the one call.
func TestBrowserTurnLost(t *testing.T) {
	b := start(t)
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, loss := range losses {
			t.Run(protocol+" "+loss.name, func(t *testing.T) {
				c := b.startTurn(t, protocol)
				c.Expect("net::ERR_")
				loss.lose(c.line)
				c.Await(`results.replies[0].ended && results.replies[0].error === "TypeError"`)
				if loss.late {
					time.Sleep(grace + time.Second)
					c.finish()
				}
				c.again(func() {
					if !loss.late {
						c.finish()
					}
				})
				c.check(1, 0, 1)
			})
		}
	}
}
