package dashboards_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// product is the real Caddy with a site for each kind of trouble, so that one
// does not get into the way of another.
type product struct {
	*testsite.Site

	admin string                     // the address of the admin API
	sites map[string]string          // URLs by the name of the first provider
	stand map[string]*sandbox.Server // stand-ins by the name of the provider
	chat  *chatBackend
	slow  string // URL of a backend that takes longer than its hedge
}

// neverOpens lets every fault be met.
const neverOpens = "breaker {\n consecutive off\n ratio off\n }"

// blocks are the chatkit blocks by the name of the first provider. $name is
// where the stand-in of a provider is, $second a provider that works.
var blocks = map[string]string{
	"main": `
		anonymous
		$main {
			timeout 400ms
			retries 1 10ms
			` + neverOpens + `
		}
		$second`,
	"tripping": `
		anonymous
		$tripping {
			retries 0
			health /nowhere 200ms
			breaker {
				consecutive 2
				open 10s 10s
			}
		}
		$second`,
	"forced": `
		anonymous
		$forced {
			retries 0
		}
		$second`,
	"cooling": `
		anonymous
		$cooling {
			retries 0
		}
		$second`,
	"capped": `
		user {http.request.header.X-User}
		rate_limit user 2 1h
		rate_limit ip 90 1h
		$capped {
			max_rate 5 1h
		}
		$second`,
	"full": `
		anonymous
		drill ` + drillToken + `
		$full {
			timeout 900ms
			retries 0
			max_in_flight 1
			` + neverOpens + `
		}
		$second`,
	"dead-a": `
		anonymous
		user {http.request.header.X-User}
		chatkit /chatkit {
			standin openai_chat $CHAT/v1 {
				model small
			}
		}
		$dead-a {
			retries 0
			` + neverOpens + `
		}
		$dead-b {
			retries 0
			` + neverOpens + `
		}`,
	"hedged": `
		anonymous
		provider backend $SLOW {
			name hedged
			retries 0
			cancel on
			hedge 50ms
			` + neverOpens + `
		}
		$second`,
	"chat": `
		anonymous
		stream_idle 1s
		chatkit /chatkit
		provider backend $CHAT {
			name chat
			retries 0
		}`,
}

// second is the provider behind most of the others.
const second = `provider openai {
			name second
			base_url $OPENAI/v1
			key ` + testsite.OpenAIKey + `
			workflow wf_test
			retries 0
			` + neverOpens + "\n}"

// newProduct starts it.
func newProduct(t *testing.T) *product {
	t.Helper()
	p := &product{
		Site: testsite.NewUnloaded(t), sites: make(map[string]string), stand: make(map[string]*sandbox.Server), chat: newChatBackend(t),
		slow: newSlowBackend(t),
	}
	p.admin, p.stand["second"] = strings.TrimPrefix(p.Admin, "http://"), p.OpenAI
	for _, name := range []string{"main", "tripping", "forced", "cooling", "capped", "full", "dead-a", "dead-b"} {
		p.stand[name] = testsite.StandIn(t, sandbox.NewBackend, sandbox.Options{Key: testsite.BackendKey})
	}
	for name := range blocks {
		p.sites[name] = testsite.Nobody(t)
	}
	p.sites["admin"] = p.Admin
	p.load("the app")
	return p
}

// load loads or reloads the whole configuration; app is what the app answers.
func (p *product) load(app string) {
	p.T.Helper()
	var text strings.Builder
	p.head(&text)
	for name, block := range blocks {
		fmt.Fprintf(&text, "%s {\n\troute {\n\t\tchatkit {%s\n\t\t}\n\t\trespond %q 418\n\t}\n}\n", p.sites[name], p.filled(block), app)
	}
	p.LoadText(text.String())
}

// unload leaves Caddy running, and nothing of ours in it.
func (p *product) unload() {
	p.T.Helper()
	var text strings.Builder
	p.head(&text)
	fmt.Fprintf(&text, "%s {\n\trespond 418\n}\n", p.sites["main"])
	p.LoadText(text.String())
}

// leave takes Caddy's admin endpoint away, and all metrics with it.
func (p *product) leave() {
	p.T.Helper()
	p.LoadText("{\n\tadmin off\n\tauto_https off\n\tlog {\n\t\toutput discard\n\t}\n}\n")
}

func (p *product) head(w io.Writer) {
	fmt.Fprintf(w, "{\n\tadmin %s\n\tpersist_config off\n\tauto_https off\n\tlog {\n\t\toutput discard\n\t}\n}\n", p.admin)
}

// filled puts the addresses of the stand-ins into a block.
func (p *product) filled(block string) string {
	block = strings.ReplaceAll(block, "$second", second)
	for name, s := range p.stand {
		block = strings.ReplaceAll(block, "$"+name+" {", fmt.Sprintf("provider backend %s {\n\t\t\tname %s\n\t\t\tkey %s", s.URL(), name, testsite.BackendKey))
	}
	return strings.NewReplacer("$OPENAI", p.OpenAI.URL(), "$CHAT", p.chat.URL, "$SLOW", p.slow).Replace(block)
}

// set switches the fault of a stand-in.
func (p *product) set(name string, f sandbox.Fault) {
	p.T.Helper()
	testsite.Set(p.T, p.stand[name], f)
}

// ask sends a request to a site, or to "admin". An answer that is cut is what
// some tests want.
func (p *product) ask(method, site, path, body string, headers ...string) testsite.Answer {
	p.T.Helper()
	a, err := testsite.Try(p.T.Context(), p.Client, method, p.sites[site]+path, body, headers...)
	if err != nil && a.Status == 0 {
		p.T.Fatal(err)
	}
	return a
}

// forcedFor is for how many seconds a breaker is forced, at most.
const forcedFor = 60

// force holds the breaker of a provider in a state, or ends that: open, close
// or auto.
func (p *product) force(action, provider string) {
	p.T.Helper()
	body := fmt.Sprintf(`{"for": "%ds", "reason": "a test"}`, forcedFor)
	if action == "auto" {
		body = ""
	}
	if got := p.ask(http.MethodPost, "admin", "/chatkit/providers/"+provider+"/"+action, body); got.Status != http.StatusOK {
		p.T.Fatalf("forcing %s to %s: %d %s", provider, action, got.Status, got.Raw)
	}
}
