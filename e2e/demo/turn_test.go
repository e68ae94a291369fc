package demo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
)

// What the panel says the backend has stored.
const (
	storedWhole = "The whole answer."
	storedHalf  = "Half of the answer, and that the user has cancelled it. The model obeys that in the next turn."
)

// ask asks the question and waits until the answer is on its way.
func (p *page) ask() {
	p.T.Helper()
	p.Click("#ask-button")
	p.awaitAnswer("streaming")
	p.Await(`document.querySelector("#answer")?.innerText.includes("word by")`)
}

// awaitAnswer waits for a state of the answer.
func (p *page) awaitAnswer(state string) {
	p.T.Helper()
	p.Await(`document.querySelector("#answer").dataset.state == "` + state + `"`)
}

// wantTurn compares the end of the answer, the beginning of the note, and what the
// backend has stored.
func (p *page) wantTurn(end, note string, stored ...string) {
	p.T.Helper()
	p.Await(`document.querySelector("#stored li") && !document.querySelector("#stored [data-state=writing]")`)
	got := chromium.Evaluate[[]string](p.Page, `[...document.querySelectorAll("#stored li")].map((e) => e.innerText)`)
	if !slices.Equal(got, stored) {
		p.T.Errorf("the backend has stored %q, want %q", got, stored)
	}
	if text := p.Text("#answer"); !strings.HasPrefix(text, "You said: “What if my train goes into a tunnel?”. ") || !strings.HasSuffix(text, end) {
		p.T.Errorf("the answer is %q, want it to end in %q", text, end)
	}
	if text := p.Text("#turn-note"); !strings.HasPrefix(text, note) {
		p.T.Errorf("the page says %q, want %q", text, note)
	}
}

// A turn survives the loss of its connection, and a page that comes back gets all of
// it. Without chatkit the backend believes that the user has cancelled, and is asked
// twice.
func TestPageTurnIsLost(t *testing.T) {
	p := openPage(t, desktop)
	for _, tt := range []struct {
		name, note string
		stored     []string
	}{
		{"chatkit", "It is the same turn.", []string{storedWhole}},
		{"reverse_proxy", "It is another turn", []string{storedHalf, storedWhole}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &page{p.Within(t)}
			p.ask()
			p.Click("#lose")
			p.awaitAnswer("lost")
			if text := p.Text("#turn-note"); !strings.HasPrefix(text, "The connection is lost.") {
				t.Errorf("the page says %q", text)
			}
			if tt.name == "chatkit" { // and once more, as soon as it is back
				p.Await(`document.querySelector("#answer").dataset.state == "streaming" && (document.querySelector("#lose").click(), true)`)
				p.awaitAnswer("lost")
			}
			p.awaitAnswer("done")
			p.wantTurn("stores only half of it.", tt.note, tt.stored...)
			p.Click("#plain") // for the next one
		})
	}
	p.Await(`document.querySelectorAll("#log li").length >= 2`)
	if text := p.Text("#log li:last-child"); !strings.Contains(text, "Carried by backend until the client left") {
		t.Errorf("the log says %q", text)
	}
}

// A user who stops the turn over HTTP/1.1 looks like one who is lost.
func TestPageTurnIsStopped(t *testing.T) {
	p := openPage(t, phone)
	p.ask()
	p.Click("#stop")
	p.awaitAnswer("lost")
	p.wantTurn(" …", "Stopped. Over HTTP/1.1", storedWhole)
	p.Click("#plain")
	p.ask()
	p.Click("#stop")
	p.awaitAnswer("lost")
	p.wantTurn(" …", "Stopped. The backend cannot tell", storedHalf)
}

// Faults of the backend end the turn in words.
func TestPageTurnFails(t *testing.T) {
	p := openPage(t, night)
	p.ask()
	p.fault("backend", "refuse")
	p.awaitAnswer("failed")
	p.wantTurn("The answer broke off.", "", storedHalf)
}

// While the backend is dead a stand-in answers and says so. When it is back, it answers
// again, in the same conversation, and the page says that too.
func TestPageTurnInAnOutage(t *testing.T) {
	p := openPage(t, desktop)
	p.ask()
	p.awaitAnswer("done")
	p.fault("backend", "refuse")
	p.Click("#ask-button")
	p.Await(`document.querySelector("#answer")?.innerText.startsWith("The backend is away")`)
	p.awaitAnswer("done")
	if got := p.Text("#notice"); got != "A stand-in answers" {
		t.Errorf("the notice is %q", got)
	}
	p.Await(`document.querySelector("#log li")?.innerText.includes("Answered by a stand-in: backend could not be reached (dial)")`)
	if got := p.Text("#stored"); got != "" {
		t.Errorf("the backend has stored %q of what it was not asked for", got)
	}
	p.fault("backend", "none")
	p.Click("#ask-button")
	p.Await(`document.querySelector("#answer")?.innerText.startsWith("You said")`)
	p.awaitAnswer("done")
	p.wantTurn("stores only half of it.", "", storedWhole)
	if got := p.Text("#notice"); !strings.HasPrefix(got, "While the assistant was away. Others have answered") {
		t.Errorf("the notice is %q", got)
	}
}

// focused is what the keyboard acts on.
func (p *page) focused() string {
	p.T.Helper()
	return chromium.Evaluate[string](p.Page, `document.activeElement.id`)
}

// Everything can be done with the keyboard.
func TestPageTurnByKeyboard(t *testing.T) {
	p := openPage(t, desktop)
	p.Do(chromedp.Focus(chromedp.CSS("#question")), chromedp.KeyEvent(kb.Enter))
	p.Await(`document.querySelector("#answer")?.innerText.includes("word by")`)
	for _, want := range []string{"ask-button", "plain", "lose"} {
		p.Do(chromedp.KeyEvent(kb.Tab))
		if focused := p.focused(); focused != want {
			t.Fatalf("the tab key leads to %q, want %q", focused, want)
		}
	}
	p.Do(chromedp.KeyEvent(" "))
	p.awaitAnswer("lost")
	if focused := p.focused(); focused != "lose" {
		t.Errorf("the focus is on %q", focused)
	}
	p.awaitAnswer("done")
	p.wantTurn("stores only half of it.", "It is the same turn.", storedWhole)
}
