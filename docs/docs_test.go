// Package docs_test holds the pages for users against the product: every Caddyfile
// in them is served by the real Caddy, in front of stand-ins, and asked; every link
// leads somewhere.
package docs_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The keys that the stand-ins and the pages' own routes ask for.
const (
	sendbirdToken = "token-of-sendbird"
	appKey        = "key-of-the-app"
)

// asks are the blocks that do not answer a plain session request with a session,
// by page and heading, and what they have to do instead.
var asks = map[string]func(s *site){
	"docs/guides/forward-auth.md#The Caddyfile": askForwardAuth,
	"docs/guides/openai-sdk.md#The Caddyfile":   askOpenAI,
}

// wrappers are the first lines of fragments, and what stands around one so that it
// is a Caddyfile. %s is the fragment, but for that line.
var wrappers = map[string]string{
	"# in the global options:": "{\n%s\n}\n" + wholeSite,
	"# beside your sites:":     "%s\n" + wholeSite,
	"# in the site block:":     "chat.example.com {\n%s\nchatkit {\nanonymous\n" + twoProviders + "}\nreverse_proxy localhost:3000\n}\n",
	"# in the chatkit route:":  "chat.example.com {\nchatkit {\nanonymous\nchatkit /chatkit {\n%s\n}\n" + twoProviders + "}\nreverse_proxy localhost:3000\n}\n",
	"# in the chatkit block:":  "chat.example.com {\nchatkit {\n%s\n" + twoProviders + "}\nreverse_proxy localhost:3000\n}\n",
	"# in the block of the backend:": "chat.example.com {\nchatkit {\nanonymous\nprovider backend {env.CUSTOM_BACKEND_URL} {\n" +
		"key {env.CUSTOM_BACKEND_KEY}\n%s\n}\n}\nreverse_proxy localhost:3000\n}\n",
}

const (
	twoProviders = `provider backend {env.CUSTOM_BACKEND_URL} {
	key {env.CUSTOM_BACKEND_KEY}
}
provider openai {
	key {env.OPENAI_API_KEY}
	workflow {env.CHATKIT_WORKFLOW_ID}
}
`
	wholeSite = "chat.example.com {\nchatkit {\nanonymous\n" + twoProviders + "}\nreverse_proxy localhost:3000\n}\n"
)

// Every Caddyfile of every page answers a session request, or what its page says.
// One that is a fragment says so in its first line, and where it belongs.
func TestCaddyfiles(t *testing.T) {
	whole, fragments := 0, 0
	for _, page := range shipped.Pages(t) {
		for _, snippet := range shipped.Snippets(t, page, "caddyfile", "Caddyfile") {
			text := snippet.Text
			first, rest, _ := strings.Cut(text, "\n")
			if wrapper, ok := wrappers[first]; ok {
				fragments++
				text = fmt.Sprintf(wrapper, rest)
			} else {
				whole++
			}
			t.Run(snippet.String(), func(t *testing.T) {
				s := newSite(t)
				t.Setenv("CUSTOM_BACKEND_URL", s.backendOf(snippet.Page))
				s.serve(text)
				ask := asks[snippet.Page+"#"+snippet.Heading]
				if ask == nil {
					ask = askSession
				}
				ask(s)
			})
		}
	}
	// The gate shows lines that begin so.
	fmt.Printf("\tdocs: asked %d Caddyfiles and %d fragments of the pages\n", whole, fragments)
}

// site is a page's Caddyfile that is served, and what stands behind it.
type site struct {
	*testsite.Site

	sendbird *sandbox.Server
	app      *httptest.Server
	taker    *testsite.Taker // the backend of forward_auth, which counts whatever it is asked
}

// backendOf returns the URL of the backend of a page's sites.
func (s *site) backendOf(page string) string {
	if page != "docs/guides/forward-auth.md" {
		return s.Backend.URL()
	}
	s.taker = testsite.NewTaker(s.T, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"session_id":"ses_51e0"}`)
	})
	return s.taker.URL
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		Site:     testsite.NewUnloaded(t),
		sendbird: testsite.StandIn(t, sandbox.NewSendbird, sandbox.Options{Key: sendbirdToken}),
		app:      httptest.NewServer(http.HandlerFunc(app)),
	}
	t.Cleanup(s.app.Close)
	for name, value := range map[string]string{
		"CUSTOM_BACKEND_URL": s.Backend.URL(), "CUSTOM_BACKEND_URL_EU": s.Backend.URL(), "CUSTOM_BACKEND_KEY": testsite.BackendKey,
		"OPENAI_API_KEY": testsite.OpenAIKey, "CHATKIT_WORKFLOW_ID": "wf_docs", "CHATKIT_WORKFLOW_ID_LARGE": "wf_large",
		"OPENAI_ORGANIZATION": "org_docs", "OPENAI_PROJECT": "proj_docs", "CHATKIT_APP_KEY": appKey, "CHATKIT_DRILL_TOKEN": "a-token-that-nobody-guesses",
		"SENDBIRD_APP_ID": "DOCS-APP", "SENDBIRD_API_TOKEN": sendbirdToken, "ALERT_WEBHOOK_URL": s.app.URL,
		"REDIS_URL": "redis://127.0.0.1:1", "FLEET_KEY": "0123456789abcdef0123456789abcdef", // nobody is there, as it may be
		"HANDBACK_SECRET": "whsec_ZG9jcy1vbmx5LWEtc2VjcmV0LW9mLTMyLWJ5dGVz",
	} {
		t.Setenv(name, value)
	}
	return s
}

var (
	siteLine   = regexp.MustCompile(`(?m)^(?:(?:http://)?[a-z.]+\.example\.com|(?:http://)?localhost:8080) \{$`)
	portLine   = regexp.MustCompile(`(?m)^:\d+ \{$`)
	globalLine = regexp.MustCompile(`\A(?:#[^\n]*\n|\n)*\{\n`)
	openAIHost = regexp.MustCompile(`\n[ \t]*base_url https://api\.openai\.com/v1`)
)

// globals are options that a page's Caddyfile does not need in production.
const globals = `	admin off
	persist_config off
	auto_https off
	log {
		output discard
	}
`

// serve loads a Caddyfile, with its addresses replaced by those of the test.
func (s *site) serve(text string) {
	s.T.Helper()
	if globalLine.MatchString(text) {
		text = globalLine.ReplaceAllString(text, "{\n"+globals)
	} else {
		text = "{\n" + globals + "}\n" + text
	}
	first := true
	text = siteLine.ReplaceAllStringFunc(text, func(string) string {
		if first {
			first = false
			return s.URL + " {"
		}
		return testsite.Nobody(s.T) + " {"
	})
	text = portLine.ReplaceAllStringFunc(text, func(string) string { return testsite.Nobody(s.T) + " {" })
	text = openAIHost.ReplaceAllString(text, "")
	for old, replacement := range map[string]string{
		"127.0.0.1:3000":          strings.TrimPrefix(s.app.URL, "http://"),
		"localhost:3000":          strings.TrimPrefix(s.app.URL, "http://"),
		"http://127.0.0.1:8000":   s.Backend.URL() + " {\nkey " + testsite.BackendKey + "\n}",
		"http://127.0.0.1:8001 {": s.Backend.URL() + " {\nkey " + testsite.BackendKey,
		"provider openai {":       "provider openai {\n base_url " + s.OpenAI.URL() + "/v1",
		"provider sendbird {":     "provider sendbird {\n host " + s.sendbird.URL(),
		"file_server":             "reverse_proxy " + strings.TrimPrefix(s.app.URL, "http://"), // there are no files
	} {
		whole := regexp.QuoteMeta(old)
		if strings.HasSuffix(old, "0") {
			whole += `\b` // the port of a site may begin like this one
		}
		text = regexp.MustCompile(whole).ReplaceAllLiteralString(text, replacement)
	}
	if err := s.TryLoadText(text); err != nil {
		s.T.Fatalf("%v in:\n%s", err, text)
	}
}

// app is the app behind the pages' sites. Its login knows alice by her cookie.
func app(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/api/auth/me":
		http.Error(w, "the app itself", http.StatusTeapot)
	case r.Header.Get("X-User") != "":
		http.Error(w, "the client's own header got here", http.StatusInternalServerError)
	case strings.Contains(r.Header.Get("Cookie"), "login=alice"):
		w.Header().Set("X-User", "alice")
	default:
		http.Error(w, "log in first", http.StatusUnauthorized)
	}
}

// askSession is what most Caddyfiles have to answer.
func askSession(s *site) {
	a := s.Post("/api/custom/session", "{}")
	if a.Status != http.StatusOK || a.Secret() == "" {
		s.T.Errorf("got %d: %s", a.Status, a.Raw)
	}
	if got := s.Do(http.MethodGet, "/anything/else", ""); got.Status != http.StatusTeapot {
		s.T.Errorf("the app answers %d: %s", got.Status, got.Raw)
	}
}

// askOpenAI asks as an app with OpenAI's SDK does.
func askOpenAI(s *site) {
	const body = `{"user":"alice","workflow":{"id":"wf_docs"}}`
	s.Post("/v1/chatkit/sessions", body).Is(s.T, "401")
	a := s.Post("/v1/chatkit/sessions", body, "Authorization: Bearer "+appKey)
	a.Is(s.T, "200 backend")
	if a.Body["object"] != "chatkit.session" || a.Secret() == "" {
		s.T.Errorf("got %s", a.Raw)
	}
}

// claimed are all paths that a block claims by default, and how they are asked.
var claimed = []struct{ method, path string }{
	{http.MethodPost, "/api/custom/session"},
	{http.MethodPost, "/api/create-session"},
	{http.MethodPost, "/api/chatkit/session"},
	{http.MethodPost, "/api/custom/refresh"},
	{http.MethodPost, "/api/chatkit/refresh"},
	{http.MethodPost, "/api/custom/stream"},
	{http.MethodPost, "/api/custom/message"},
	{http.MethodGet, "/api/ws/chat/session-1"},
}

// askForwardAuth asks every claimed path without a login, with a forged name, and
// as alice: nothing of a stranger's reaches a provider, and alice is alice.
func askForwardAuth(s *site) {
	upgrade := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	for _, c := range claimed {
		var headers []string
		if c.method == http.MethodGet {
			headers = upgrade
		}
		before := len(s.taker.Received())
		for _, stranger := range [][]string{nil, {"X-User: alice"}, {"Cookie: login=mallory"}} {
			a := s.Do(c.method, c.path, `{"message":"hi"}`, slices.Concat(stranger, headers)...)
			if a.Status != http.StatusUnauthorized || a.Provider() != "" {
				s.T.Errorf("%s of a stranger (%q): got %d from %q: %s", c.path, stranger, a.Status, a.Provider(), a.Raw)
			}
		}
		if n := len(s.taker.Received()) - before; n != 0 || s.OpenAI.Calls() != 0 {
			s.T.Errorf("%s: strangers got to the backend %d times, to OpenAI %d times", c.path, n, s.OpenAI.Calls())
		}
		s.Do(c.method, c.path, `{"message":"hi"}`, append(headers, "Cookie: login=alice", "X-User: mallory")...)
		asked := s.taker.Received()[before:]
		if len(asked) != 1 {
			s.T.Errorf("%s of alice got to the backend %d times", c.path, len(asked))
			continue
		}
		if got := asked[0]; got.URL.Path == "/api/sessions" && !strings.Contains(got.Text, `"user_id":"alice"`) {
			s.T.Errorf("%s: the backend was asked for %s", c.path, got.Text)
		}
	}
	if a := s.Do(http.MethodGet, "/", ""); a.Status != http.StatusTeapot {
		s.T.Errorf("a page of the app: got %d", a.Status)
	}
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	head   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	marks  = regexp.MustCompile("[^a-z0-9 _-]")
)

// anchors are the names of a page's headings in links.
func anchors(text string) map[string]bool {
	all := make(map[string]bool)
	for _, m := range head.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		all[strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

// Every link between the pages leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	checked := 0
	for _, page := range shipped.Pages(t) {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(shipped.ReadPage(t, page), ""), -1) {
			target, anchor, hasAnchor := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			checked++
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join("..", file)); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
				continue
			}
			if hasAnchor && !anchors(shipped.ReadPage(t, file))[anchor] {
				t.Errorf("%s: there is no heading %s", page, m[1])
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d links found", checked)
	}
}

// The pages do not use words that only those who built the product know.
func TestInsideWords(t *testing.T) {
	inside := regexp.MustCompile(`(?i)quick[\s-]+reference|starter[\s-]+app|\bseeds?\b`)
	for _, page := range shipped.Pages(t) {
		if !strings.HasPrefix(page, "docs/") {
			continue
		}
		text := shipped.ReadPage(t, page)
		for _, at := range inside.FindAllStringIndex(text, -1) {
			if !strings.Contains(text[at[1]:min(at[1]+60, len(text))], "](http") {
				t.Errorf("%s: %q without a link", page, text[at[0]:at[1]])
			}
		}
	}
}

// The index lists every page.
func TestIndex(t *testing.T) {
	index := shipped.ReadPage(t, "docs/README.md")
	for _, page := range shipped.Pages(t) {
		name, ok := strings.CutPrefix(page, "docs/")
		if ok && name != "README.md" && !strings.Contains(index, "]("+name) {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
}

// What the pages say of the dashboard, the alerts and the metrics exists.
func TestNames(t *testing.T) {
	dashboard, alerts, metrics := shipped.ReadDashboard(t), shipped.Read(t, shipped.AlertsFile), shipped.ReadPage(t, "docs/metrics.md")
	titles := make([]string, len(dashboard.Panels))
	for i, p := range dashboard.Panels {
		titles[i] = p.Title
	}
	italic := regexp.MustCompile(`(?:^|[^*])\*([A-Z][^*\n]+)\*(?:[^*]|$)`)
	alert := regexp.MustCompile("`(Chatkit\\w+)` \\| (page|ticket)")
	metric := regexp.MustCompile("caddy_chatkit_[a-z_]+[a-z]")
	found := 0
	for _, page := range shipped.Pages(t) {
		if !strings.HasPrefix(page, "docs/operate/") {
			continue
		}
		text := shipped.ReadPage(t, page)
		for _, m := range italic.FindAllStringSubmatch(text, -1) {
			found++
			if !slices.Contains(titles, m[1]) {
				t.Errorf("%s: there is no panel %q", page, m[1])
			}
		}
		for _, m := range alert.FindAllStringSubmatch(text, -1) {
			found++
			_, rule, ok := strings.Cut(alerts, "- alert: "+m[1]+"\n")
			if _, severity, _ := strings.Cut(rule, "severity: "); !ok || !strings.HasPrefix(severity, m[2]) {
				t.Errorf("%s: there is no alert %s of severity %s", page, m[1], m[2])
			}
		}
		for _, name := range metric.FindAllString(text, -1) {
			found++
			if !strings.Contains(metrics, "## "+name+"\n") {
				t.Errorf("%s: there is no metric %s", page, name)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d names found", found)
	}
}
