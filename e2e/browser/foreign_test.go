package browser_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The cookies by which an app knows its users. Browsers send the first with whatever
// a page of the same site asks for, the second with everything.
const (
	laxCookie  = "SameSite=Lax"
	noneCookie = "SameSite=None; Secure; Partitioned"
)

// subdomains are names of one site; every browser takes them for this machine.
const (
	chatHost    = "chat.app.localhost"
	siblingHost = "sibling.app.localhost"
)

// appSite loads a site that is an app with a login and a page of its own, by its
// address and by a name, with chatkit in it.
func appSite(t *testing.T, options, attributes string, second *chatBackend) *testsite.Site {
	t.Helper()
	s := testsite.NewUnloaded(t)
	front, err := filepath.Abs("testdata/frontend")
	if err != nil {
		t.Fatal(err)
	}
	text := s.Caddyfile(testsite.Backends(options+"\n chatkit /chatkit", second.URL))
	for old, replacement := range map[string]string{
		s.URL + " {":    s.URL + ", " + named(s.URL, chatHost) + " {",
		"\t\tchatkit {": "\t\theader /login Set-Cookie \"app=secret; Path=/; " + attributes + "\"\n respond /login 200\n\t\tchatkit {",
		`respond "the `: `root ` + front + "\n file_server\n respond /never \"the ",
	} {
		text = strings.Replace(text, old, replacement, 1)
	}
	s.LoadText(text)
	return s
}

// named returns a URL of this machine by another name.
func named(address, host string) string { return strings.Replace(address, "127.0.0.1", host, 1) }

// login gets the cookie of the app.
func (p *page) login() {
	p.T.Helper()
	chromium.Evaluate[bool](p.Page, `fetch(product + "/login", {method: "POST", mode: "no-cors", credentials: "include"}).then(() => true)`)
}

// ways are those by which a page can send a request to another origin without
// asking first, as functions of a URL.
var ways = map[string]string{
	"fetch":  `(url) => fetch(url, {method: "POST", mode: "no-cors", credentials: "include", body: "{\"message\":\"hi\"}"}).then(() => true)`,
	"beacon": `(url) => navigator.sendBeacon(url, new Blob(["{\"message\":\"hi\"}"], {type: "text/plain"}))`,
	"form": `(url) => new Promise((resolve) => {
		const frame = document.createElement("iframe");
		frame.name = "f" + Math.random();
		document.body.append(frame);
		const form = document.createElement("form");
		Object.assign(form, {method: "POST", action: url, enctype: "text/plain", target: frame.name});
		const input = document.createElement("input");
		Object.assign(input, {name: "{\"message\":\"", value: "\"}"});
		form.append(input);
		document.body.append(form);
		frame.onload = () => resolve(true);
		form.submit();
	})`,
	"socket": `(url) => new Promise((resolve) => {
		const ws = new WebSocket(url.replace("http", "ws"));
		ws.onopen = () => { ws.send("hi"); ws.close(); };
		ws.onclose = () => resolve(true);
	})`,
}

// targets are the paths that each way is tried on.
func targets(way string) []string {
	if way == "socket" {
		return []string{"/api/ws/chat/session"}
	}
	return []string{"/api/custom/session", "/api/chatkit/session", "/api/custom/refresh", "/api/custom/message", "/api/custom/stream", "/chatkit"}
}

// attack sends a request and returns its line of the access log.
func (p *page) attack(n int, way, path string) string {
	p.T.Helper()
	mark := fmt.Sprintf("?try=%d-", n)
	chromium.Evaluate[bool](p.Page, "("+ways[way]+")(product + "+fmt.Sprintf("%q", path+mark)+")")
	return p.site.AwaitLogged("access.log", mark)[0]
}

// A page of another origin cannot act as the visitor: what the browser sends with the
// app's cookie is refused, and no backend hears of it.
func TestBrowserForeignPages(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name, options, attributes string
		page, chat                string // hosts
		cookie                    bool   // comes with the requests
		refused                   bool
	}{
		{"sibling port", "", laxCookie, "127.0.0.1", "127.0.0.1", true, true},
		{"sibling subdomain", "", laxCookie, siblingHost, chatHost, true, true},
		{"foreign site", "", noneCookie, "localhost", "127.0.0.1", true, true},
		{"foreign site, Lax cookie", "", laxCookie, "localhost", "127.0.0.1", false, false}, // acts as nobody
		{"sibling port, another is allowed", elsewhere, laxCookie, "127.0.0.1", "127.0.0.1", true, true},
		{"sibling subdomain, another is allowed", elsewhere, laxCookie, siblingHost, chatHost, true, true},
		{"foreign site, another is allowed", elsewhere, noneCookie, "localhost", "127.0.0.1", true, true},
		{"foreign site, Lax cookie, another is allowed", elsewhere, laxCookie, "localhost", "127.0.0.1", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			second := newChatBackend(t, nil)
			s := appSite(t, tt.options, tt.attributes, second)
			s.URL = named(s.URL, tt.chat)
			p := b.open(t, s, named(b.sameSite, tt.page))
			p.Expect("status of 40", "WebSocket connection to", "net::ERR_")
			p.login()
			n, want := 0, map[bool]string{true: `"status":403`, false: `"status":`}[tt.refused]
			for way := range ways {
				for _, path := range targets(way) {
					n++
					line := p.attack(n, way, path)
					if !strings.Contains(line, want) {
						t.Errorf("%s to %s: %s", way, path, line)
					}
					if came := strings.Contains(line, `"Cookie":["REDACTED"]`); came != tt.cookie {
						t.Errorf("%s to %s: a cookie came: %v, want %v", way, path, came, tt.cookie)
					}
				}
			}
			checkActedAsNobody(t, second, tt.refused)
		})
	}
}

// elsewhere allows an origin that no page of these tests is of.
const elsewhere = "cors {\n origins https://elsewhere.example\n }"

// checkActedAsNobody checks that no request reached the backend, or none with a
// credential.
func checkActedAsNobody(t *testing.T, b *chatBackend, refused bool) {
	t.Helper()
	if refused {
		b.checkPaths(t)
		return
	}
	for _, r := range b.Received() {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s came with credentials: %v", r.URL.Path, r.Header)
		}
	}
}

// The front ends that the documents describe go on working: the app's own page, and
// one of another origin, which is allowed or sends no credentials.
func TestBrowserFrontEnds(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name, options string
		own           bool // the page is of the app's own origin
		credentials   string
		withLogin     bool
	}{
		{"own page", "", true, "include", true},
		{"own page, an allowlist of others", elsewhere, true, "include", true},
		{"allowed page", "cors {\n origins " + b.sameSite + "\n }", false, "include", true},
		{"another page without credentials", "", false, "omit", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			second := newChatBackend(t, nil)
			s := appSite(t, tt.options, laxCookie, second)
			origin := b.sameSite
			if tt.own {
				origin = s.URL
			}
			p := &page{b.Open(t), s}
			p.Show(origin + "/?" + url.Values{"product": {s.URL}, "credentials": {tt.credentials}}.Encode())
			if tt.withLogin {
				p.login()
			}
			chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, "a", "")
			p.say("Hi")
			p.awaitReply().checkEvents(t, chatEvents)
			got := chromium.Evaluate[socketOutcome](p.Page, `chat.socket("session", "hello")`)
			if !got.Opened || !slices.Equal(got.Messages, []string{"hello"}) {
				t.Errorf("the WebSocket got %+v", got)
			}
			second.checkPaths(t, "/api/sessions", "/chatkit", "/ws/chat/session")
			for _, r := range second.Received()[1:] {
				checkCookie(t, r, tt.withLogin)
			}
		})
	}
}
