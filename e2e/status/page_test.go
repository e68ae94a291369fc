package status_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// An outage as the page shows it, without being loaded again.
func TestOutage(t *testing.T) {
	c := open(t)
	c.site.Session()
	c.Await(`document.querySelector(".lane[data-provider=backend] dd")?.textContent == "100 %"`)
	testsite.Set(t, c.site.Backend, sandbox.Refuse)
	c.site.Session("X-Request-Id: of-the-fallback")
	c.site.Session()
	c.awaitVerdict("fallback", "openai serves, in place of backend")
	if got := c.Text("#verdict-text"); got != "The breaker of backend is open; last, backend could not be reached (dial)." {
		t.Errorf("the page says %q", got)
	}
	got := c.card("backend")
	for _, part := range []string{"open, a probe in ", "Failing since", "connect: connection refused", "33 %"} {
		if !strings.Contains(got, part) {
			t.Errorf("the card says %q, without %q", got, part)
		}
	}
	if got := c.card("openai"); !strings.Contains(got, "serves now") {
		t.Errorf("the card says %q", got)
	}
	if got := c.Text("#fallbacks"); !strings.Contains(got, "openai for backend: backend could not be reached (dial)") || !strings.Contains(got, "of-the-fallback") {
		t.Errorf("the fallbacks are %q", got)
	}
	bands := chromium.Evaluate[[]string](c.Page, `[...document.querySelectorAll(".lane[data-provider=backend] .band")].map((e) => e.dataset.state)`)
	if strings.Join(bands, " ") != "closed open" {
		t.Errorf("the picture has %q", bands)
	}
	testsite.Set(t, c.site.OpenAI, sandbox.Status500)
	c.site.Session()
	c.site.Session()
	c.awaitVerdict("dead", "Nobody can serve")
	if got := c.Text("#routes"); !strings.Contains(got, "session /api/custom/session") || !strings.Contains(got, "nobody") {
		t.Errorf("the routes are %q", got)
	}
}

// The buttons force and release, say why, and show what the admin API refuses.
func TestForce(t *testing.T) {
	c := open(t)
	c.Click(".lane[data-provider=backend] summary")
	chromium.Evaluate[any](c.Page, `document.querySelector(".lane[data-provider=backend] input").value = "a deploy"`)
	c.press("backend", "open")
	c.awaitVerdict("fallback", "openai serves, in place of backend")
	if got := c.card("backend"); !strings.Contains(got, "forced open, for ") || !strings.Contains(got, "a deploy (by a browser from 127.0.0.1") {
		t.Errorf("the card says %q", got)
	}
	if got := c.site.Session(); got.Reason() != "forced_open" {
		t.Errorf("served by %s because %q", got.Provider(), got.Reason())
	}
	if !chromium.Evaluate[bool](c.Page, `document.querySelector(".lane[data-provider=backend] details").open`) {
		t.Error("the buttons are gone")
	}
	c.press("backend", "auto")
	c.awaitVerdict("ok", "backend serves")
	c.press("openai", "close")
	c.Await(`document.querySelector(".lane[data-provider=openai]").dataset.state == "forced_closed"`)
	c.press("openai", "auto")

	c.Expect("400")
	chromium.Evaluate[any](c.Page, `Object.assign(document.querySelector(".lane[data-provider=backend] input"), { maxLength: 500, value: "x".repeat(300) })`)
	c.press("backend", "open")
	c.Await(`document.querySelector(".lane[data-provider=backend] .said")?.textContent == "Not forced: reason has more than 200 characters."`)
}

// A reload of Caddy does not disturb the page; without Caddy it says so.
func TestReloadAndEnd(t *testing.T) {
	c := open(t)
	c.site.LoadText(strings.Replace(withPage(c.site), "anonymous", "anonymous\n\tdeadline 9s", 1))
	testsite.Set(t, c.site.Backend, sandbox.Refuse)
	c.site.Session()
	c.site.Session()
	c.awaitVerdict("fallback", "openai serves, in place of backend")
	if chromium.Evaluate[bool](c.Page, `document.body.classList.contains("gone")`) {
		t.Error("the page takes a reload for the end")
	}
	c.Expect("502", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_CONNECTION")
	c.site.LoadText("{\n\tadmin off\n\tpersist_config off\n}\n")
	c.awaitVerdict("dead", "Caddy does not answer")
}

// On a site the page has no buttons and no way to force anything.
func TestOnASite(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	s := testsite.NewUnloaded(t)
	s.LoadText(withPage(s))
	p := chromium.Start(t).Open(t)
	p.Show(s.URL + "/ops") // it is redirected
	p.Await(`document.querySelector("#verdict-title")?.textContent == "backend serves"`)
	if got := chromium.Evaluate[string](p, "location.pathname"); got != "/ops/" {
		t.Errorf("the page is at %s", got)
	}
	if n := chromium.Evaluate[int](p, `document.querySelectorAll("button, input, select").length`); n != 0 {
		t.Errorf("the page has %d buttons and fields", n)
	}
	if got := s.Post("/ops/providers/backend/open", `{"for":"1m"}`); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("forcing: got %d %s", got.Status, got.Raw)
	}
}

// The admin endpoint itself: Caddy lets a browser in where "origins" has an empty
// one, which a page whose address somebody types has. Everything that the page
// asks for then passes Caddy's checks.
func TestOnTheAdminEndpoint(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for _, tt := range []struct {
		name, origins string
		open          bool
	}{
		{"without origins", "", false},
		{"with an empty origin", "origins %s \"\"", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := testsite.NewUnloaded(t)
			addr := strings.TrimPrefix(s.Admin, "http://")
			s.LoadText(strings.Replace(withPage(s), "admin "+addr, "admin "+addr+" {\n"+strings.Replace(tt.origins, "%s", addr, 1)+"\n}", 1))
			p := chromium.Start(t).Open(t)
			if !tt.open {
				p.Expect("403")
				p.Show(s.Admin + "/chatkit/")
				if got := p.Text("body"); !strings.Contains(got, "client is not allowed to access from origin") {
					t.Errorf("got %q", got)
				}
				return
			}
			p.Expect("icon.svg")
			p.Show(s.Admin + "/chatkit/")
			p.Await(`document.querySelector("#verdict-title")?.textContent == "backend serves"`)
			p.Click(".lane[data-provider=backend] summary")
			p.Click(".lane[data-provider=backend] [data-action=open]")
			p.Await(`document.querySelector("#verdict-title")?.textContent == "openai serves, in place of backend"`)
			p.Click(".lane[data-provider=backend] [data-action=auto]")
			p.Await(`document.querySelector("#verdict-title")?.textContent == "backend serves"`)
		})
	}
}
