package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// manyTurns is how many turns a browser has at once, over one HTTP/2 connection.
const manyTurns = 50

// Over HTTP/2 a stop is told from a page that is loaded anew and from a lost
// connection, for each of many turns.
func TestBrowserStopReloadOrLoss(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name  string
		leave func(p *page, l *line)
		stops int64
	}{
		{"stop", func(p *page, _ *line) {
			chromium.Evaluate[bool](p.Page, "window.controllers.forEach((c) => c.abort()) === undefined")
		}, manyTurns},
		{"reload", func(p *page, _ *line) {
			p.Do(chromedp.Reload())
			chromium.Evaluate[outcome](p.Page, `chat.request("threads.list")`).check(p.T, 200, "a", "")
		}, 0},
		{"broken line", func(_ *page, l *line) { l.breaks() }, 0},
		{"dead line", func(_ *page, l *line) { l.dies() }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var canceled, stored atomic.Int64
			goOn := make(chan struct{})
			release := sync.OnceFunc(func() { close(goOn) })
			t.Cleanup(release)
			url := testsite.OwnBackend(t, waits(goOn, &canceled, &stored))
			s := testsite.NewUnloaded(t)
			s.LoadText(s.SecureCaddyfile(testsite.Backends("session off\n "+allowing(b.crossSite), url)))
			l := newLine(t, s.URL)
			s.URL = l.URL
			p := b.open(t, s, b.crossSite)
			p.Expect("net::ERR_")
			chromium.Evaluate[bool](p.Page, fmt.Sprintf(
				`(window.controllers = Array.from({length: %d}, (_, i) => { chat.send("Hi " + i); return running; })) && true`, manyTurns))
			p.Await(fmt.Sprintf("results.replies.filter((r) => r.events.length === 1).length === %d", manyTurns))
			tt.leave(p, l)
			time.Sleep(grace + 2*time.Second)
			release()
			s.Await("turns_in_flight", 0)
			t.Logf("%d of %d turns were canceled", canceled.Load(), manyTurns)
			if canceled.Load() != tt.stops || stored.Load() != manyTurns-tt.stops {
				t.Errorf("%d canceled and %d stored, want %d canceled", canceled.Load(), stored.Load(), tt.stops)
			}
		})
	}
}

// waits answers with the first event of a turn, and the rest when it may go on.
func waits(goOn <-chan struct{}, canceled, stored *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"threads.list"`) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: "+chatEvents[0]+"\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			canceled.Add(1)
			return
		case <-goOn:
		}
		for _, event := range chatEvents[1:] {
			_, _ = io.WriteString(w, "data: "+event+"\n\n")
		}
		stored.Add(1)
	}
}
