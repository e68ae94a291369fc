package status_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// images is where the screenshots are. They are made again by
//
//	cd e2e && CHATKIT_SCREENSHOTS=1 go test ./status -run TestLooks
const images = "../../docs/img"

// The page looks right in every state on every screen, for everybody.
func TestLooks(t *testing.T) {
	c := open(t)
	history := time.Duration(0)
	if os.Getenv("CHATKIT_SCREENSHOTS") == "1" {
		history = 8 * time.Second
	}
	for _, scene := range []struct {
		name, state, title string
		make               func()
	}{
		{"healthy", "ok", "backend serves", func() {}},
		{"forced", "fallback", "openai serves, in place of backend", func() {
			c.Click(".lane[data-provider=backend] summary")
			chromium.Evaluate[any](c.Page, `document.querySelector(".lane[data-provider=backend] input").value = "deploy 1234"`)
			c.press("backend", "open")
		}},
		{"fallback", "fallback", "openai serves, in place of backend", func() {
			c.press("backend", "auto")
			c.Click(".lane[data-provider=backend] summary")
			testsite.Set(t, c.site.Backend, sandbox.Refuse)
		}},
		{"dead", "dead", "Nobody can serve", func() { testsite.Set(t, c.site.OpenAI, sandbox.Status500) }},
		{"failing", "fallback", "backend is asked, and fails", func() { c.press("backend", "close") }},
	} {
		scene.make()
		for end := time.Now().Add(history); ; time.Sleep(300 * time.Millisecond) {
			c.site.Session()
			c.site.Session()
			if time.Now().After(end) {
				break
			}
		}
		c.awaitVerdict(scene.state, scene.title)
		for _, s := range []struct {
			name          string
			width, height int64
			scale         float64
			scheme        string
		}{
			{"", 1200, 900, 1, "light"}, {"-dark", 1200, 900, 1, "dark"}, {"-phone", 390, 844, 2, "light"},
		} {
			c.Emulate(s.width, s.height, s.scale, s.scheme)
			when := scene.name + s.name
			c.CheckWidth(when)
			c.CheckAxe(when)
			if (s.name == "" && scene.name != "failing") || scene.name == "fallback" {
				c.checkImage(t, "status-"+when+".png")
			}
		}
		c.Emulate(1200, 900, 1, "light")
	}
}

// checkImage makes a screenshot where that is wanted, and checks that it is there.
func (c *console) checkImage(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(images, name)
	if os.Getenv("CHATKIT_SCREENSHOTS") == "1" {
		c.Do(chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0); document.activeElement.blur()"))
		ctx, cancel := context.WithTimeout(c.Ctx, chromium.Patience)
		defer cancel()
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(path, shot, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
