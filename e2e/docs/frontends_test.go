package docs_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/chromium"
	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const frontEnds = "docs/guides/front-ends.md"

// uses say how a page uses the snippets of a section, and what has to come of it.
// The chat element stands for the widget, whose script comes from OpenAI only.
var uses = []struct {
	heading string
	which   []int // of the section's snippets, in the page
	script  string
	check   func(t *testing.T, got map[string]string)
}{
	{"Your own UI", []int{0, 1, 2, 3, 4}, `
		const secret = await startSession()
		result.reply = (await send(secret, 'Hello')).reply
		result.stream = (await Array.fromAsync(stream(secret, 'Hello again'))).join('|')
		result.socket = await new Promise((resolve) => {
			const socket = openSocket(secret, (reply) => { resolve(reply); socket.close() })
			socket.onopen = () => socket.send(JSON.stringify({ message: 'Hi' }))
		})
		const next = await refresh(secret)
		result.refreshed = String(next !== secret && next.length > 10)
		result.failed = await send('made-up', 'Hello').catch((error) => error.message)`,
		func(t *testing.T, got map[string]string) {
			t.Helper()
			user, _, _ := strings.Cut(got["reply"], " ")
			for name, want := range map[string]string{
				"reply": user + " said: Hello", "stream": user + " |said: |Hello |again", "socket": user + " said: Hi",
				"refreshed": "true", "failed": "HTTP 401",
			} {
				if got[name] != want || user == "" {
					t.Errorf("%s is %q, want %q", name, got[name], want)
				}
			}
		}},
	{"ChatKit, hosted", []int{0}, `
		const { getClientSecret } = chat.options.api
		result.first = await getClientSecret(null)
		result.second = await getClientSecret(result.first)`,
		func(t *testing.T, got map[string]string) {
			t.Helper()
			if len(got["first"]) < 10 || len(got["second"]) < 10 || got["first"] == got["second"] {
				t.Errorf("got %q and %q", got["first"], got["second"])
			}
		}},
	{"ChatKit, your own server", []int{0}, askChatKit, chatKitSaw("")},
	{"ChatKit, your own server", []int{1}, "localStorage.setItem('token', 'token-of-alice')\n" + askChatKit, chatKitSaw("Bearer token-of-alice")},
	{"Sendbird", []int{0}, `
		const session = await requestSession()
		result.token = session.token
		result.user = session.user_id
		result.again = await new Promise((resolve, reject) => configureSession().onSessionTokenRequired(resolve, reject))`,
		func(t *testing.T, got map[string]string) {
			t.Helper()
			if len(got["token"]) < 10 || len(got["user"]) < 10 || len(got["again"]) < 10 {
				t.Errorf("got %q", got)
			}
		}},
}

// askChatKit asks as the widget does, by the options that a page has given it.
const askChatKit = `
	const { url, fetch: own = fetch, domainKey } = chat.options.api
	const response = await own(url, { method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ type: 'threads.list', params: {} }) })
	result.saw = await response.text()
	result.key = domainKey`

func chatKitSaw(authorization string) func(*testing.T, map[string]string) {
	return func(t *testing.T, got map[string]string) {
		t.Helper()
		if want := `{"data":[],"has_more":false} ` + authorization; got["saw"] != want || got["key"] == "" {
			t.Errorf("the ChatKit server was asked by %q, want %q", got["saw"], want)
		}
	}
}

// chatKitServer lists no threads, and says who has asked.
func chatKitServer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"data":[],"has_more":false} %s`, r.Header.Get("Authorization"))
}

// frontEndSite is the product before an example backend, with the front end as the
// app behind it.
func frontEndSite(t *testing.T, pages http.HandlerFunc) *testsite.Site {
	t.Helper()
	backend := startBackend(t, ".", goBackend(t))
	url := backend.Await(t, `running on (http://127\.0\.0\.1:\d+)`)[1]
	s := testsite.NewUnloaded(t)
	app := httptest.NewServer(pages)
	t.Cleanup(app.Close)
	chatKit := testsite.OwnBackend(t, chatKitServer)
	sendbird := testsite.StandIn(t, sandbox.NewSendbird, sandbox.Options{Key: "token-of-sendbird"})
	lines := `
	anonymous
	provider backend ` + url + ` {
		key ` + backendKey + `
	}
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_docs
	}
	session /api/custom/session
	session /api/chatkit/session openai
	refresh /api/custom/refresh
	refresh /api/chatkit/refresh openai
	`
	second := "chatkit {\nanonymous\nsession off\nrefresh off\nstream off\nmessage off\nwebsocket off\nchatkit /chatkit\nprovider backend " +
		chatKit + " {\nname chatkit\n}\n}\n"
	third := "@sendbird header_regexp Referer /Sendbird\nhandle @sendbird {\nroute {\nchatkit {\nanonymous\nprovider sendbird {\napp_id DOCS\n" +
		"api_token token-of-sendbird\nhost " + sendbird.URL() + "\ncreate_users\n}\n}\nreverse_proxy " + strings.TrimPrefix(app.URL, "http://") + "\n}\n}\n"
	text := s.Caddyfile(lines)
	text = strings.Replace(text, "\troute {", third+"\troute {\n"+second, 1)
	text = strings.Replace(text, `respond "the app itself: {method} {path}" 418`, "reverse_proxy "+strings.TrimPrefix(app.URL, "http://"), 1)
	s.LoadText(text)
	return s
}

// Every snippet of the page works in a browser.
func TestFrontEnds(t *testing.T) {
	browser := chromium.Start(t)
	s := frontEndSite(t, servePages(t))
	used := make(map[string]bool)
	for i, use := range uses {
		t.Run(fmt.Sprintf("%s %d", use.heading, use.which[0]), func(t *testing.T) {
			for _, n := range use.which {
				used[shipped.Section(t, frontEnds, use.heading, "js")[n].String()] = true
			}
			p := browser.Open(t)
			p.Expect(`401`) // of a session that nobody has
			p.Show(fmt.Sprintf("%s/page/%d/%s", s.URL, i, strings.Fields(use.heading)[0]))
			p.Await("result.done")
			got := chromium.Evaluate[map[string]string](p, "result")
			if got["error"] != "" {
				t.Fatalf("the page failed: %s", got["error"])
			}
			use.check(t, got)
		})
	}
	for _, snippet := range shipped.Snippets(t, frontEnds, "js") {
		if !used[snippet.String()] {
			t.Errorf("%s is not run", snippet)
		}
	}
	fmt.Printf("\tdocs: ran %d snippets of front ends in a browser\n", len(used))
}

// servePages serves a page for each use, by its number.
func servePages(t *testing.T) http.HandlerFunc {
	t.Helper()
	pages := make(map[string]string)
	for i, use := range uses {
		var code strings.Builder
		section := shipped.Section(t, frontEnds, use.heading, "js")
		for _, n := range use.which {
			code.WriteString(section[n].Text)
		}
		code.WriteString("\ntry {" + use.script + "\n} catch (error) { result.error = String(error) }\nresult.done = 'yes'\n")
		pages[fmt.Sprintf("/page/%d/%s", i, strings.Fields(use.heading)[0])] = fmt.Sprintf(pageHTML, html.EscapeString(use.heading), code.String())
	}
	return func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNoContent) // the icon
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	}
}

const pageHTML = `<!doctype html>
<title>%s</title>
<openai-chatkit id="chat"></openai-chatkit>
<script>
var result = {}
const chat = document.getElementById('chat')
chat.setOptions = (options) => { chat.options = options }
</script>
<script type="module">
%s
</script>
`

// The page's app creates and cancels a session with OpenAI's SDK.
func TestOpenAISDK(t *testing.T) {
	node := testtools.Node(t, "openai")
	s := testsite.New(t, strings.Replace(testsite.TwoProviders, "wf_test", "wf_support", 1)+"\nopenai_api /v1 {\nkey key-of-the-app\n}")
	code := shipped.Section(t, "docs/guides/openai-sdk.md", "The app", "js")[0].Text
	// NODE_PATH is for require only.
	code = strings.Replace(code, "import OpenAI from 'openai'", "import { createRequire } from 'node:module'\nconst { OpenAI } = createRequire(import.meta.url)('openai')", 1)
	code = strings.Replace(code, "https://chat.example.com", s.URL, 1)
	file := filepath.Join(t.TempDir(), "app.mjs")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHATKIT_APP_KEY", "key-of-the-app")
	secret := strings.TrimSpace(testtools.Output(t, "", node, file))
	if !slices.Contains(s.Backend.Issued(), secret) {
		t.Errorf("printed %q, the backend has issued %q", secret, s.Backend.Issued())
	}
	s.Stream("Authorization: Bearer "+secret).Is(t, "401")
	var sent map[string]any
	if err := json.Unmarshal(s.Backend.Requests()[0].Body, &sent); err != nil || sent["user_id"] != "alice" {
		t.Errorf("the backend was asked for %v (%v)", sent, err)
	}
}
