package browser_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	deadDialed      = `attempts_total{provider="a",result="dial"}`
	chatkitCanceled = `streams_total{kind="chatkit",outcome="canceled"}`
	chatkitInFlight = `streams_in_flight{kind="chatkit"}`
	inFlightSocket  = `streams_in_flight{kind="websocket"}`
)

// What the product sends where ChatKit's own stream fails, a breaker that never
// opens, and the stand-in of OpenAI as the next provider.
const (
	errorEvent = `{"type":"error","code":"custom","message":"The chat is unavailable for the moment","allow_retry":true}`
	neverOpen  = "\n breaker {\n consecutive 1000\n ratio 100% of 1000 in 10s\n }"
	withOpenAI = "provider openai {\n base_url {env.TEST_OPENAI_URL}/v1\n key {env.TEST_OPENAI_KEY}\n workflow wf_test\n }"
)

// allowing are options for a chat that is used from an origin, ChatKit's own
// route among them.
func allowing(origin string) string {
	return "chatkit /chatkit\n cors {\n origins " + origin + "\n }"
}

// withDeadFirst loads a site whose first backend does not listen.
func withDeadFirst(t *testing.T, options, second string) *testsite.Site {
	t.Helper()
	s := testsite.New(t, testsite.Backends(options, testsite.Nobody(t), second))
	return s
}

// The front end gets its session from whoever is left, and can read who that
// is and why.
func TestBrowserSession(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name, second, path, provider, reason string
	}{
		{"second backend", "provider backend {env.TEST_BACKEND_URL} {\n name b\n key {env.TEST_BACKEND_KEY}\n }", "/api/custom/session", "b", "dial"},
		{"openai", withOpenAI, "/api/custom/session", "openai", "dial"},
		{"the path of the second call", withOpenAI, "/api/chatkit/session", "openai", "dial"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := testsite.New(t, testsite.Backends(allowing(b.crossSite), testsite.Nobody(t))+"\n "+tt.second)
			dialed := s.Metric(deadDialed)
			p := b.open(t, s, b.crossSite)
			// The widget's own headers take a preflight, and so does the content type.
			got := chromium.Evaluate[outcome](p.Page, `chat.session("`+tt.path+`", {"chatkit-frame-instance-id": "1"})`)
			got.check(t, 200, tt.provider, tt.reason)
			if secret, _ := got.Body["client_secret"].(string); secret == "" || got.Body["provider"] != tt.provider {
				t.Errorf("the session is %v", got.Body)
			}
			if text := p.Text("#session"); text != "served by "+tt.provider {
				t.Errorf("the page shows %q", text)
			}
			want := map[bool]float64{true: 1}[tt.reason == "dial"]
			if n := s.Metric(deadDialed) - dialed; n != want || s.Backend.Calls()+s.OpenAI.Calls() != 1 {
				t.Errorf("the dead one was tried %v times, the others %d", n, s.Backend.Calls()+s.OpenAI.Calls())
			}
			p.checkCORS(b.crossSite)
		})
	}
}

// A reply streams from the second backend, event by event: each leaves the
// backend only once the one in front of it is in the page.
func TestBrowserReply(t *testing.T) {
	b := start(t)
	for name, protocol := range map[string]string{"HTTP/1.1": "http/1.1", "HTTP/2": "h2"} {
		t.Run(name, func(t *testing.T) {
			steps := make(chan struct{})
			second := newChatBackend(t, steps)
			s := testsite.NewUnloaded(t)
			text := map[string]func(string) string{"http/1.1": s.Caddyfile, "h2": s.SecureCaddyfile}[protocol]
			s.LoadText(text(testsite.Backends(allowing(b.crossSite), testsite.Nobody(t), second.URL)))
			dialed := s.Metric(deadDialed)
			p := b.open(t, s, b.crossSite)
			chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, "b", "dial")
			p.say("Hi")
			stepThrough(p, steps)
			got := p.awaitReply()
			got.check(t, 200, "b", "dial") // ChatKit's own requests belong to no session
			got.checkEvents(t, chatEvents)
			checkThread(t, p)
			checkOneChat(t, second)
			if n := s.Metric(deadDialed) - dialed; n != 2 {
				t.Errorf("the dead one was tried %v times, want once for each request", n)
			}
			p.checkCORS(b.crossSite)
			if got := p.protocols(); !slices.Equal(got, []string{protocol}) {
				t.Errorf("the browser spoke %q, want %s", got, protocol)
			}
		})
	}
}

// stepThrough lets the backend go on whenever the page has an event.
func stepThrough(p *page, steps chan<- struct{}) {
	p.T.Helper()
	for i := 1; i < len(chatEvents); i++ {
		p.Await("results.replies.at(-1)?.events.length === " + string(rune('0'+i)))
		select {
		case steps <- struct{}{}:
		case <-time.After(10 * time.Second):
			p.T.Fatalf("after %d events the backend is not there", i)
		}
	}
}

// checkThread checks that the page shows the reply whole, and nothing else.
func checkThread(t *testing.T, p *page) {
	t.Helper()
	if got, want := p.Text("#thread"), "Hi\n"+chatText; got != want {
		t.Errorf("the page shows %q, want %q", got, want)
	}
	if text := p.Text("#error"); text != "" || p.Visible("#retry") || p.Visible("#cancel") {
		t.Errorf("the page shows an error %q, or buttons to try again or to cancel", text)
	}
}

// checkOneChat checks that the backend got a request for a session and one of
// the chat, which came with the session's secret.
func checkOneChat(t *testing.T, b *chatBackend) {
	t.Helper()
	b.checkPaths(t, "/api/sessions", "/chatkit")
	all := b.Received()
	chat := all[len(all)-1]
	if !strings.HasPrefix(chat.Text, `{"type":"threads.create",`) || chat.Header.Get("Authorization") != "Bearer session-of-the-second" {
		t.Errorf("it got %q with %q", chat.Text, chat.Header)
	}
	if origin := chat.Header.Get("Origin"); origin == "" {
		t.Error("it got no origin")
	}
}

// The route for streams that are not ChatKit's does the same, and asks the
// backend first that has issued the session, while that lives.
func TestBrowserStreamRoute(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name     string
		issuer   string
		why      string // it has issued the session
		reason   string // of the stream's being the second's
		sessions []string
	}{
		{"session of the second", "b", "dial", "", []string{"/api/sessions"}},
		{"session of the first, which has died since", "a", "", "dial", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps := make(chan struct{})
			second := newChatBackend(t, steps)
			s := testsite.NewUnloaded(t)
			if tt.issuer == "b" {
				testsite.Set(t, s.Backend, sandbox.Refuse)
			}
			s.Load(testsite.Backends(allowing(b.crossSite), s.Backend.URL()+"\n key "+testsite.BackendKey, second.URL))
			p := b.open(t, s, b.crossSite)
			chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, tt.issuer, tt.why)
			testsite.Set(t, s.Backend, sandbox.Refuse)
			chromium.Evaluate[bool](p.Page, `!chat.stream("hi")`) // a promise, which is not waited for
			stepThrough(p, steps)
			got := p.awaitReply()
			got.check(t, 200, "b", tt.reason)
			got.checkEvents(t, chatEvents)
			second.checkPaths(t, append(tt.sessions, "/api/chat/stream")...)
			p.checkCORS(b.crossSite)
		})
	}
}

// A request that is answered by JSON, from the second backend.
func TestBrowserJSONRequest(t *testing.T) {
	b := start(t)
	second := newChatBackend(t, nil)
	s := withDeadFirst(t, allowing(b.crossSite), second.URL)
	dialed := s.Metric(deadDialed)
	p := b.open(t, s, b.crossSite)
	got := chromium.Evaluate[outcome](p.Page, `chat.request("threads.list", {limit: 1})`)
	got.check(t, 200, "b", "dial")
	if got.ContentType != "application/json" || got.Body["has_more"] != false {
		t.Errorf("the page got %+v", got)
	}
	second.checkPaths(t, "/chatkit")
	if n := s.Metric(deadDialed) - dialed; n != 1 {
		t.Errorf("the dead one was tried %v times", n)
	}
	p.checkCORS(b.crossSite)
}

// Credentials work: carried requests have the app's cookies, as through any proxy,
// session requests only where the operator says so. Browsers take a cookie of
// another site only if it is for use on this one (Partitioned).
func TestBrowserCredentials(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name, origin, attributes, own string
	}{
		{"same site", b.sameSite, "SameSite=Lax", ""},
		{"same site, forwarded", b.sameSite, "SameSite=Lax", "\n forward_headers Cookie"},
		{"cross-site", b.crossSite, "SameSite=None; Secure; Partitioned", ""},
		{"cross-site, forwarded", b.crossSite, "SameSite=None; Secure; Partitioned", "\n forward_headers Cookie"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := testsite.NewUnloaded(t)
			second := newChatBackend(t, nil)
			text := s.Caddyfile(testsite.Backends(allowing(tt.origin), testsite.Nobody(t), second.URL+tt.own))
			login := "header /login Set-Cookie \"app=secret; Path=/; " + tt.attributes + "\"\n respond /login 200\n"
			s.LoadText(strings.Replace(text, "\t\tchatkit {", login+"\t\tchatkit {", 1))
			p := b.open(t, s, tt.origin)
			chromium.Evaluate[bool](p.Page, `fetch(product + "/login", {method: "POST", mode: "no-cors", credentials: "include"}).then(() => true)`)
			chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, "b", "dial")
			p.say("Hi")
			got := p.awaitReply()
			got.check(t, 200, "b", "dial")
			got.checkEvents(t, chatEvents)
			second.checkPaths(t, "/api/sessions", "/chatkit")
			checkCookie(t, second.Received()[0], tt.own != "")
			checkCookie(t, second.Received()[1], true)
			checkCookieSent(s, got.RequestID)
			p.checkCORS(tt.origin)
		})
	}
}

// checkCookie checks whether the cookie of the app has reached the backend.
func checkCookie(t *testing.T, r testsite.Received, want bool) {
	t.Helper()
	got := r.Header.Get("Cookie")
	if strings.Contains(got, "app=secret") != want || !want && got != "" {
		t.Errorf("%s came with the cookies %q, want that of the app: %v", r.URL.Path, got, want)
	}
}

// checkCookieSent checks that the browser has sent a cookie at all. The log
// says so, without its value.
func checkCookieSent(s *testsite.Site, id string) {
	s.T.Helper()
	if line := s.AwaitLogged("access.log", id)[0]; !strings.Contains(line, `"Cookie":["REDACTED"]`) {
		s.T.Errorf("no cookie came with the request: %s", line)
	}
}

// On the same site a visitor without an account stays the same one.
func TestBrowserVisitor(t *testing.T) {
	b := start(t)
	second := newChatBackend(t, nil)
	s := withDeadFirst(t, allowing(b.sameSite), second.URL)
	p := b.open(t, s, b.sameSite)
	for range 2 {
		chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, "b", "dial")
	}
	all := second.Received()
	if len(all) != 2 || all[0].Text != all[1].Text || !strings.Contains(all[0].Text, `"user_id":"`) {
		t.Errorf("the backend was asked for %v", all)
	}
}

// Without an allowlist the browser keeps a page with credentials from the chat,
// and lets one without them use it.
func TestBrowserWithoutAllowlist(t *testing.T) {
	b := start(t)
	second := newChatBackend(t, nil)
	s := withDeadFirst(t, "chatkit /chatkit", second.URL)
	p := b.open(t, s, b.crossSite)
	if got := chromium.Evaluate[outcome](p.Page, "chat.session()"); got.Error != "TypeError" || len(second.Received()) > 0 {
		t.Errorf("with credentials the page got %+v, and the backend was asked for %q", got, second.paths())
	}
	p.AwaitComplaint("must not be the wildcard '*' when the request's credentials mode is 'include'")
	p.Expect("net::ERR_FAILED")
	p.show(b.crossSite, "omit")
	chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, "b", "dial")
	p.say("Hi")
	p.awaitReply().checkEvents(t, chatEvents)
	second.checkPaths(t, "/api/sessions", "/chatkit")
}

// With every backend dead, each answer is one that the page can read.
func TestBrowserEverythingDead(t *testing.T) {
	b := start(t)
	s := testsite.NewUnloaded(t)
	addr := testsite.FreeAddr(t)
	s.Load(testsite.Backends(allowing(b.crossSite), testsite.Nobody(t)+neverOpen, "http://"+addr+neverOpen))
	dialed := s.Metric(deadDialed)
	p := b.open(t, s, b.crossSite)
	p.Expect("status of 502")

	checkUnavailable(t, chromium.Evaluate[outcome](p.Page, "chat.session()"), 502, "Session creation failed")
	checkUnavailable(t, chromium.Evaluate[outcome](p.Page, `chat.request("threads.list")`), 502, "Chat is unavailable")
	if text := p.Text("#error"); text != "Chat is unavailable" {
		t.Errorf("the page shows %q", text)
	}

	p.say("Hi")
	got := p.awaitReply()
	got.check(t, 200, "", "")
	got.checkEvents(t, []string{errorEvent})
	if text := p.Text("#error"); got.ContentType != "text/event-stream" || text != "The chat is unavailable for the moment" || p.Text("#thread") != "" {
		t.Errorf("the page got %s and shows %q", got.ContentType, text)
	}
	if n := s.Metric(deadDialed) - dialed; n != 3 {
		t.Errorf("the first one was tried %v times, want once for each request", n)
	}
	checkTryAgain(t, p, addr)
	p.checkCORS(b.crossSite)
}

// checkUnavailable checks an answer of ours that says that nobody is there.
func checkUnavailable(t *testing.T, got outcome, status int, title string) {
	t.Helper()
	got.check(t, status, "", "")
	if got.Body["error"] != title || got.Body["code"] != "SESSION_ERROR" || got.ContentType != "application/json" {
		t.Errorf("the page got %+v", got)
	}
}

// checkTryAgain starts the second backend and accepts the page's offer.
func checkTryAgain(t *testing.T, p *page, addr string) {
	t.Helper()
	second := newChatBackendAt(t, addr)
	p.Click("#retry")
	p.Await("results.replies.length === 2")
	got := p.awaitReply()
	got.check(t, 200, "b", "dial")
	got.checkEvents(t, chatEvents)
	checkThread(t, p)
	second.checkPaths(t, "/chatkit")
}

// Once the breakers are open, the page can read when to come back.
func TestBrowserRetryAfter(t *testing.T) {
	const once = "\n breaker {\n consecutive 1\n open 1m\n }"
	b := start(t)
	s := testsite.New(t, testsite.Backends(allowing(b.crossSite), testsite.Nobody(t)+once, testsite.Nobody(t)+once))
	p := b.open(t, s, b.crossSite)
	p.Expect("status of 502", "status of 503")
	checkUnavailable(t, chromium.Evaluate[outcome](p.Page, "chat.session()"), 502, "Session creation failed")
	for _, tt := range [][2]string{{"chat.session()", "Session creation failed"}, {`chat.request("items.list")`, "Chat is unavailable"}} {
		got := chromium.Evaluate[outcome](p.Page, tt[0])
		checkUnavailable(t, got, 503, tt[1])
		if got.RetryAfter == "" {
			t.Errorf("%s: the page does not know when to come back: %+v", tt[0], got)
		}
	}
	p.say("Hi")
	if got := p.awaitReply(); got.Status != 200 || len(got.Events) != 1 || !p.Visible("#retry") {
		t.Errorf("the page got %+v", got)
	}
	p.checkCORS(b.crossSite)
}

// Where that is configured, a reader who cancels, or closes the page, takes the request
// from the backend, and that says nothing against the backend.
func TestBrowserCancel(t *testing.T) {
	b := start(t)
	second := newChatBackend(t, make(chan struct{}))
	options := strings.Replace(allowing(b.crossSite), "/chatkit", "/chatkit {\n on_disconnect cancel\n }", 1)
	s := withDeadFirst(t, options, second.URL)
	p := b.open(t, s, b.crossSite)
	chromium.Evaluate[outcome](p.Page, "chat.session()").check(t, 200, "b", "dial")
	canceled := s.Metric(chatkitCanceled)

	p.say("Hi")
	p.Await("results.replies.at(-1)?.events.length === 1")
	p.Click("#cancel")
	gone := testsite.Receive(t, second.gone)
	got := p.awaitReply()
	if lag := gone.Sub(time.UnixMilli(got.CanceledAt)); lag > time.Second {
		t.Errorf("the backend learned of it after %s", lag)
	}
	if got.Error != "AbortError" || !got.Canceled || len(got.Events) != 1 || p.Text("#error") != "" {
		t.Errorf("the page got %+v", got)
	}
	s.Await(chatkitCanceled, canceled+1)

	p.say("Hi again")
	p.Await("results.replies.length === 2 && results.replies[1].events.length === 1")
	p.Close()
	testsite.Receive(t, second.gone)
	s.Await(chatkitCanceled, canceled+2)
	s.Await(chatkitInFlight, 0)
	second.checkPaths(t, "/api/sessions", "/chatkit", "/chatkit")
	if s.Metric(`breaker_state{provider="b",state="closed"}`) != 1 {
		t.Error("it counted against the backend")
	}
}

// A page of another origin gets nothing, and no backend is asked: not where the
// browser asks first, and not where it does not.
func TestBrowserForbiddenOrigin(t *testing.T) {
	b := start(t)
	second := newChatBackend(t, nil)
	s := withDeadFirst(t, allowing(b.crossSite), second.URL)
	dialed := s.Metric(deadDialed)
	p := b.open(t, s, b.sameSite)
	p.Expect("net::ERR_FAILED", "status of 403")
	for _, try := range []string{
		`chat.session()`,
		`chat.session("/api/custom/session", {"Content-Type": "text/plain"})`, // takes no preflight
		`chat.request("threads.list")`,
		`chat.send("Hi")`,
		`chat.stream("hi")`,
	} {
		if got := chromium.Evaluate[outcome](p.Page, try); got.Error != "TypeError" || got.Status != 0 || got.Body != nil {
			t.Errorf("%s: the page got %+v", try, got)
		}
	}
	p.AwaitComplaint("blocked by CORS policy")
	s.AwaitLogged("access.log", `"method":"POST"`, `"status":403`) // what came without a preflight
	if got := s.Logged("access.log", `"method":"POST"`, `"status":200`); len(got) > 0 || len(second.Received()) > 0 {
		t.Errorf("it was served %q, and the backend was asked for %q", got, second.paths())
	}
	if n := s.Metric(deadDialed) - dialed; n != 0 {
		t.Errorf("the dead one was tried %v times", n)
	}
	if text := p.Text("#error"); text != "The chat cannot be reached" {
		t.Errorf("the page shows %q", text)
	}
}

// A WebSocket opens from an allowed page only: browsers send no preflight for
// it, and let every page read it.
func TestBrowserWebSocket(t *testing.T) {
	b := start(t)
	for _, tt := range []struct {
		name, origin string
		opens        bool
	}{
		{"allowed origin", b.crossSite, true},
		{"another origin", b.sameSite, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			second := newChatBackend(t, nil)
			s := withDeadFirst(t, allowing(b.crossSite), second.URL)
			dialed := s.Metric(deadDialed)
			p := b.open(t, s, tt.origin)
			got := chromium.Evaluate[socketOutcome](p.Page, `chat.socket("session-1", "hällo")`)
			if !tt.opens {
				p.AwaitComplaint("Unexpected response code: 403")
				if got.Opened || got.Code != 1006 || len(second.Received()) > 0 || s.Metric(deadDialed) != dialed {
					t.Errorf("the page got %+v, and the backend was asked for %q", got, second.paths())
				}
				return
			}
			if !got.Opened || !slices.Equal(got.Messages, []string{"hällo"}) || got.Code != 1000 || !got.WasClean {
				t.Errorf("the page got %+v", got)
			}
			second.checkPaths(t, "/ws/chat/session-1")
			if n := s.Metric(deadDialed) - dialed; n != 1 {
				t.Errorf("the dead one was tried %v times", n)
			}
			s.Await(inFlightSocket, 0)
			s.AwaitLogged("access.log", "/api/ws/chat/session-1")
		})
	}
}
