package demo_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// fault presses a button of a provider and waits until it is in force.
func (p *page) fault(provider, fault string) {
	p.T.Helper()
	button := fmt.Sprintf(`[data-faults=%s] [data-fault="%s"]`, provider, fault)
	p.Click(button)
	p.Await(fmt.Sprintf("document.querySelector('%s').ariaPressed == 'true'", button))
}

// session asks for one and waits for the answer.
func (p *page) session() {
	p.T.Helper()
	before := chromium.Evaluate[int](p.Page, "Number(document.querySelector('#verdict').dataset.request ?? 0)")
	p.Click("#start")
	p.Await(fmt.Sprintf("document.querySelector('#verdict').dataset.request == %d", before+1))
}

// wantVerdict compares what the page says of the last session request.
func (p *page) wantVerdict(state, title string, parts ...string) {
	p.T.Helper()
	got := chromium.Evaluate[string](p.Page, `document.querySelector("#verdict").dataset.state`)
	text := p.Text("#verdict-text")
	if got != state || p.Text("#verdict-title") != title {
		p.T.Errorf("the page says %s, %q: %q, want %s, %q", got, p.Text("#verdict-title"), text, state, title)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			p.T.Errorf("the page says %q, without %q", text, part)
		}
	}
}

// awaitBreaker waits until the picture ends in a band of the state, and until
// the words beside it say the same.
func (p *page) awaitBreaker(provider, state, word string) {
	p.T.Helper()
	lane := "document.querySelector('[data-provider=" + provider + "]')"
	p.Await(fmt.Sprintf(`%s.dataset.state == %q && [...%s.querySelectorAll(".band")].at(-1).dataset.state == %q`, lane, state, lane, state))
	if text := chromium.Evaluate[string](p.Page, lane+`.querySelector("svg").ariaLabel`); !strings.HasSuffix(text, "now it is "+word) {
		p.T.Errorf("the picture is described as %q", text)
	}
}

// openBreaker asks until the breaker of a provider that is broken has opened.
func (p *page) openBreaker() {
	p.T.Helper()
	for range 3 { // consecutive 3
		p.session()
	}
}

// heal heals a provider whose breaker is open, and closes it by a probe.
func (p *page) heal(provider string) {
	p.T.Helper()
	p.fault(provider, "none")
	p.awaitBreaker(provider, "half_open", "half-open")
	p.session()
	p.awaitBreaker(provider, "closed", "closed")
}

// A newcomer's way: a session, a reply, and what each fault of the backend does.
func TestPage(t *testing.T) {
	p := openPage(t, desktop)
	p.session()
	p.wantVerdict("ok", "Served by backend", "The first provider of the chain answered.")
	if got := p.Text("#served-by"); got != "backend" || !strings.HasSuffix(p.Text("#took"), " ms") {
		t.Errorf("served by %q, took %q", got, p.Text("#took"))
	}
	p.Click("#send")
	p.Await(`document.querySelector("#reply").dataset.state == "streaming" && document.querySelector("#reply")?.innerText.startsWith("You said")`)
	p.Await(`document.querySelector("#reply").dataset.state == "done"`)
	if got := p.Text("#reply"); !strings.HasPrefix(got, "You said: “Is anybody there?”. ") || !strings.HasSuffix(got, "word by word.") {
		t.Errorf("the reply is %q", got)
	}
	for _, tt := range []struct{ fault, reason, words string }{
		{"refuse", "dial", "backend could not be reached"},
		{"hang", "timeout", "backend took too long to answer"},
		{"500", "status_5xx", "backend answered with a server error"},
		{"garbage", "reset", "backend closed the connection, or did not answer with HTTP"},
		{"slow", "timeout", "backend took too long to answer"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			p := &page{p.Within(t)}
			p.fault("backend", tt.fault)
			p.session()
			p.wantVerdict("fallback", "Served by openai", "A fallback: "+tt.words+" ("+tt.reason+").")
			p.openBreaker()
			p.wantVerdict("fallback", "Served by openai", "backend was skipped because its breaker is open (open).")
			p.awaitBreaker("backend", "open", "open")
			p.heal("backend")
			p.wantVerdict("ok", "Served by backend")
		})
	}
}

// Both providers dead: the page says so, when to come back, and sees them heal.
func TestPageAllDead(t *testing.T) {
	p := openPage(t, night)
	p.fault("backend", "500")
	p.fault("openai", "refuse")
	p.session()
	p.wantVerdict("dead", "No provider can serve")
	if got := p.Text("#served-by"); got != "nobody" {
		t.Errorf("served by %q", got)
	}
	p.openBreaker()
	p.wantVerdict("dead", "No provider can serve", "Retry-After: ")
	p.awaitBreaker("backend", "open", "open")
	p.awaitBreaker("openai", "open", "open")
	p.Click("#send")
	p.Await(`document.querySelector("#reply").dataset.state == "failed"`)
	p.fault("openai", "none")
	p.heal("backend")
	p.wantVerdict("ok", "Served by backend")
}

// A message for a session that openai has issued is explained, not carried.
func TestPageSessionElsewhere(t *testing.T) {
	p := openPage(t, phone)
	p.fault("backend", "refuse")
	p.session()
	p.Click("#send")
	p.Await(`document.querySelector("#reply").dataset.state == "elsewhere"`)
	if got := p.Text("#reply"); !strings.Contains(got, "the chat widget now talks to openai directly") {
		t.Errorf("the reply is %q", got)
	}
	p.Await(`document.querySelector("#log li .status")?.textContent == "409"`)
}

// A reply that is cut says so.
func TestPageReplyIsCut(t *testing.T) {
	p := openPage(t, desktop)
	p.Expect("net::ERR_INCOMPLETE_CHUNKED_ENCODING")
	p.Click("#send") // without a session it asks for one first
	p.Await(`document.querySelector("#reply")?.innerText.startsWith("You")`)
	p.fault("backend", "refuse")
	p.Await(`document.querySelector("#reply").dataset.state == "failed"`)
	if got := p.Text("#reply"); !strings.Contains(got, "The reply was cut off") {
		t.Errorf("the reply is %q", got)
	}
}

// The page asks by itself while the box is ticked.
func TestPageAsksAgain(t *testing.T) {
	p := openPage(t, desktop)
	p.Click("#again")
	p.Await(`document.querySelectorAll("#log li").length >= 3 && document.querySelectorAll("[data-provider=backend] .tick").length >= 3`)
	p.Click("#again")
}

// The operator's half: the buttons and the commands force, and the page shows it.
func TestPageForces(t *testing.T) {
	p := openPage(t, desktop)
	p.Click(`[data-force="backend open"]`)
	p.awaitBreaker("backend", "forced_open", "forced open")
	p.Await(`document.querySelector("#command")?.textContent.startsWith("The same in a terminal: caddy chatkit-breaker open backend --for 1m --address localhost:")`)
	p.session()
	p.wantVerdict("fallback", "Served by openai", "an operator forced its breaker open")
	address := strings.TrimSpace(p.Text("#command")[strings.LastIndex(p.Text("#command"), " "):])
	out, err := testsite.Run(t, nil, "chatkit-status", "--address", address)
	if err != nil || !strings.Contains(out, "forced_open") || !strings.Contains(out, "trying it out") || !strings.Contains(out, "backend: forced by the demo's page") {
		t.Errorf("chatkit-status: %v %s", err, out)
	}
	p.fault("backend", "slow")
	if got := p.Text("#hint"); !strings.Contains(got, "The breaker of backend is forced open: nobody asks it") {
		t.Errorf("the hint is %q", got)
	}
	if out, err := testsite.Run(t, nil, "chatkit-breaker", "auto", "backend", "--address", address); err != nil {
		t.Errorf("chatkit-breaker: %v %s", err, out)
	}
	p.awaitBreaker("backend", "closed", "closed")
	p.fault("backend", "none")
	if got := p.Text("#hint"); got != "" {
		t.Errorf("the hint is %q", got)
	}
}

// A fault that is chosen while the breaker is open does nothing yet: the page says
// why.
func TestPageHints(t *testing.T) {
	p := openPage(t, desktop)
	p.fault("backend", "500")
	p.openBreaker()
	p.awaitBreaker("backend", "open", "open")
	p.fault("backend", "slow")
	if got := p.Text("#hint"); !strings.HasPrefix(got, "The breaker of backend is open: nobody asks it, so you will see this only when a probe does") {
		t.Errorf("the hint is %q", got)
	}
}

// What has happened is the demo's to remember: it is there after the page is loaded
// again, failures and the requests of others among it.
func TestPageRemembers(t *testing.T) {
	p := openPage(t, desktop)
	p.fault("backend", "refuse")
	p.openBreaker()
	p.fault("openai", "500")
	origin := chromium.Evaluate[string](p.Page, "location.origin")
	for range 2 { // not by the page
		if got := testsite.Do(t, http.DefaultClient, http.MethodPost, origin+"/api/create-session", ""); got.Status < 500 {
			t.Fatalf("got %d", got.Status)
		}
	}
	const all = `document.querySelectorAll("#log li").length == 5`
	const marks = `document.querySelectorAll("[data-provider=openai] .tick:not([data-failed])").length == 3 &&
		document.querySelectorAll("[data-provider=openai] .tick[data-failed]").length == 2 &&
		document.querySelectorAll("[data-provider=backend] .tick[data-failed]").length == 2`
	p.Await(all)
	p.Await(marks)
	p.Show(origin + "/")
	p.Await(all)
	p.Await(marks)
	if got := p.Text("#log li"); !strings.Contains(got, "create-session") || !strings.Contains(got, "No provider can serve: backend was skipped because its breaker is open (open)") {
		t.Errorf("the log says %q", got)
	}
	bands := chromium.Evaluate[[]string](p.Page, `[...document.querySelectorAll("[data-provider=backend] .band")].map((e) => e.dataset.state)`)
	if len(bands) < 2 || bands[0] != "closed" || bands[1] != "open" {
		t.Errorf("the picture has %q", bands)
	}
}

// The configuration in use is on the page, and the status page beside it.
func TestPageShowsTheCaddyfile(t *testing.T) {
	p := openPage(t, phone)
	p.Click("details summary")
	p.Await(`document.querySelector("#file")?.textContent.includes("provider backend http://127.0.0.1:")`)
	p.Show(chromium.Evaluate[string](p.Page, `document.querySelector("footer a:last-child").href`))
	p.Await(`document.querySelector("#verdict-title")?.textContent == "backend serves"`)
}
