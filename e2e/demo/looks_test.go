package demo_test

import (
	"bytes"
	"context"
	_ "embed"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
)

// images is where the screenshots are. They are made again, with a minute of
// history in them, by
//
//	cd e2e && CHATKIT_SCREENSHOTS=1 go test ./demo -run TestPageLooks
const images = "../../docs/img"

// makeImages reports whether the screenshots are to be made again.
func makeImages() bool { return os.Getenv("CHATKIT_SCREENSHOTS") == "1" }

// looksJS defines "looks", which measures what a person would see.
//
//go:embed testdata/looks.js
var looksJS string

// scenes are what becomes of the demo, one after the other, and how it is shown.
var scenes = []struct {
	image   string
	screen  screen
	faults  [][2]string // provider, fault
	history time.Duration
	verdict string
}{
	{"demo-healthy.png", desktop, nil, 14 * time.Second, "ok"},
	{"demo-fallback.png", desktop, [][2]string{{"backend", "refuse"}}, 18 * time.Second, "fallback"},
	{"demo-fallback-phone.png", phone, nil, 0, "fallback"},
	{"demo-dead.png", desktop, [][2]string{{"backend", "hang"}, {"openai", "500"}}, 10 * time.Second, "dead"},
	{"demo-dead-dark.png", night, nil, 0, "dead"},
}

// The page looks right on every screen in every state: nothing wider than the
// screen or cut, enough contrast, a name for everything that can be used.
func TestPageLooks(t *testing.T) {
	p := openPage(t, desktop)
	p.Click("#again")
	for _, scene := range scenes {
		p.setScreen(scene.screen)
		for _, f := range scene.faults {
			p.fault(f[0], f[1])
		}
		p.Await(`document.querySelector("#verdict").dataset.state == "` + scene.verdict + `"`)
		if makeImages() {
			time.Sleep(scene.history)
		}
		p.Click("#send")
		p.Click("#ask-button")
		for _, id := range []string{"#reply", "#answer"} {
			p.Await(`!["idle", "streaming"].includes(document.querySelector("` + id + `").dataset.state)`)
		}
		for _, s := range []screen{desktop, night, phone} {
			p.setScreen(s)
			p.checkLooks(scene.verdict, s)
			p.CheckAxe(scene.verdict)
		}
		p.setScreen(scene.screen)
		p.checkImage(scene.image, scene.screen)
	}
}

// checkLooks measures the page as it is now.
func (p *page) checkLooks(state string, s screen) {
	p.T.Helper()
	if width := chromium.Evaluate[int64](p.Page, "document.documentElement.scrollWidth"); width > s.width {
		p.T.Errorf("%s: the page is %d wide on a screen of %d", state, width, s.width)
	}
	for _, fault := range chromium.Evaluate[[]string](p.Page, "(() => {"+looksJS+"\nreturn looks()})()") {
		p.T.Errorf("%s, %d wide, %s: %s", state, s.width, s.scheme, fault)
	}
}

// checkImage makes a screenshot where that is wanted, and checks the one that is
// there.
func (p *page) checkImage(name string, s screen) {
	p.T.Helper()
	path := filepath.Join(images, name)
	if makeImages() {
		p.Do(chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0); document.activeElement.blur()"))
		if s != phone { // which would be too tall
			height := chromium.Evaluate[int64](p.Page, "document.documentElement.scrollHeight")
			p.Do(chromedp.EmulateViewport(s.width, height, chromedp.EmulateScale(s.scale)))
		}
		ctx, cancel := context.WithTimeout(p.Ctx, chromium.Patience)
		defer cancel()
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(path, shot, 0o644)
		}
		if err != nil {
			p.T.Fatal(err)
		}
		p.setScreen(s)
	}
	shot, err := os.ReadFile(path)
	if err != nil {
		p.T.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(shot))
	if want := int(float64(s.width) * s.scale); err != nil || config.Width != want {
		p.T.Errorf("%s: %d wide (%v), want a PNG of %d", name, config.Width, err, want)
	}
}
