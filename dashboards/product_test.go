package dashboards_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// product is the real Caddy with a site for each kind of trouble, so that one
// does not get into the way of another.
type product struct {
	t      *testing.T
	admin  string
	sites  map[string]string          // addresses by the name of the first provider
	stand  map[string]*sandbox.Server // stand-ins by the name of the provider
	chat   *chatBackend
	client *http.Client
}

// blocks are the chatkit blocks by the name of the first provider. $name is
// where the stand-in of a provider is, $second a provider that works.
var blocks = map[string]string{
	// Every fault can be met here: the breaker is off.
	"main": `
		anonymous
		$main {
			timeout 400ms
			retries 1 10ms
			breaker {
				consecutive off
				ratio off
			}
		}
		$second`,
	"tripping": `
		anonymous
		$tripping {
			retries 0
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
	"dead-a": `
		anonymous
		$dead-a {
			retries 0
			breaker {
				consecutive off
				ratio off
			}
		}
		$dead-b {
			retries 0
			breaker {
				consecutive off
				ratio off
			}
		}`,
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
			key secret
			workflow wf_test
			retries 0
			breaker {
				consecutive off
				ratio off
			}
		}`

// newProduct starts it.
func newProduct(t *testing.T) *product {
	t.Helper()
	p := &product{
		t: t, sites: make(map[string]string), stand: make(map[string]*sandbox.Server), chat: newChatBackend(t),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	p.admin = freeAddr(t)
	p.stand["second"] = standIn(t, sandbox.NewOpenAI)
	for _, name := range []string{"main", "tripping", "forced", "cooling", "capped", "dead-a", "dead-b"} {
		p.stand[name] = standIn(t, sandbox.NewBackend)
	}
	for name := range blocks {
		p.sites[name] = freeAddr(t)
	}
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	p.load("the app")
	return p
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := sandbox.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func standIn(t *testing.T, start func(sandbox.Options) (*sandbox.Server, error)) *sandbox.Server {
	t.Helper()
	s, err := start(sandbox.Options{Key: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// load loads or reloads the whole configuration; app is what the app answers.
func (p *product) load(app string) {
	p.t.Helper()
	var text strings.Builder
	p.head(&text)
	for name, block := range blocks {
		fmt.Fprintf(&text, "http://%s {\n\troute {\n\t\tchatkit {%s\n\t\t}\n\t\trespond %q 418\n\t}\n}\n", p.sites[name], p.filled(block), app)
	}
	p.loadText(text.String())
}

// unload leaves Caddy running, and nothing of ours in it.
func (p *product) unload() {
	p.t.Helper()
	var text strings.Builder
	p.head(&text)
	fmt.Fprintf(&text, "http://%s {\n\trespond 418\n}\n", p.sites["main"])
	p.loadText(text.String())
}

// leave takes Caddy's admin endpoint away, and all metrics with it.
func (p *product) leave() {
	p.t.Helper()
	p.loadText("{\n\tadmin off\n\tauto_https off\n\tlog {\n\t\toutput discard\n\t}\n}\n")
}

func (p *product) head(w io.Writer) {
	fmt.Fprintf(w, "{\n\tadmin %s\n\tpersist_config off\n\tauto_https off\n\tlog {\n\t\toutput discard\n\t}\n}\n", p.admin)
}

func (p *product) loadText(caddyfile string) {
	p.t.Helper()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		p.t.Fatal(err)
	}
}

// filled puts the addresses of the stand-ins into a block.
func (p *product) filled(block string) string {
	block = strings.ReplaceAll(block, "$second", second)
	for name, s := range p.stand {
		block = strings.ReplaceAll(block, "$"+name+" {", fmt.Sprintf("provider backend %s {\n\t\t\tname %s\n\t\t\tkey secret", s.URL(), name))
	}
	return strings.NewReplacer("$OPENAI", p.stand["second"].URL(), "$CHAT", p.chat.URL).Replace(block)
}

// set switches the fault of a stand-in.
func (p *product) set(name string, f sandbox.Fault) {
	p.t.Helper()
	if err := p.stand[name].Set(f); err != nil {
		p.t.Fatal(err)
	}
}

// answer is what a client gets.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request to a site, or to the admin endpoint where that is named.
func (p *product) do(method, site, path, body string, headers ...string) answer {
	p.t.Helper()
	addr := p.sites[site]
	if site == "admin" {
		addr = p.admin
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		r.Header.Set(name, v)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body) // an answer that is cut is what some tests want
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

// forcedFor is for how many seconds a breaker is forced, at most.
const forcedFor = 60

// force holds the breaker of a provider in a state, or ends that: open, close
// or auto.
func (p *product) force(action, provider string) {
	p.t.Helper()
	body := fmt.Sprintf(`{"for": "%ds", "reason": "a test"}`, forcedFor)
	if action == "auto" {
		body = ""
	}
	if got := p.do(http.MethodPost, "admin", "/chatkit/providers/"+provider+"/"+action, body); got.status != http.StatusOK {
		p.t.Fatalf("forcing %s to %s: %d %s", provider, action, got.status, got.body)
	}
}
