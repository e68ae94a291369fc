package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/webhook"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// site is the real Caddy with a real listener, in front of two stand-ins.
type site struct {
	t       *testing.T
	URL     string // of the site
	Admin   string // of the admin API
	Backend *sandbox.Server
	OpenAI  *sandbox.Server
	Dir     string // access.log and caddy.log are here
	client  *http.Client
}

// The keys the stand-ins ask for; the secret sweep looks for them.
const (
	backendKey = "planted-backend-key-7d1f"
	openaiKey  = "planted-openai-key-93aa"
)

// twoProviders is the block most tests use. Quick breaker times, no retries: a
// test says so where it wants others.
const twoProviders = `
	anonymous
	provider backend {env.TEST_BACKEND_URL} {
		key {env.TEST_BACKEND_KEY}
		timeout 1s
		retries 0
	}
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_test
		timeout 1s
		retries 0
	}`

// newSite starts the stand-ins and loads a site with a chatkit block.
func newSite(t *testing.T, block string) *site {
	t.Helper()
	s := newUnloadedSite(t)
	if err := s.load(block); err != nil {
		t.Fatal(err)
	}
	return s
}

// newUnloadedSite starts the stand-ins only: a reload right behind a load can
// cost the first connection, so a test that wants more than a chatkit block
// loads it all at once.
func newUnloadedSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, Dir: t.TempDir(), client: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}}
	s.Backend = standIn(t, sandbox.NewBackend, backendKey)
	s.OpenAI = standIn(t, sandbox.NewOpenAI, openaiKey)
	t.Setenv("TEST_BACKEND_URL", s.Backend.URL())
	t.Setenv("TEST_BACKEND_KEY", backendKey)
	t.Setenv("TEST_OPENAI_URL", s.OpenAI.URL())
	t.Setenv("TEST_OPENAI_KEY", openaiKey)
	s.URL, s.Admin = "http://"+freeAddr(t), "http://"+freeAddr(t)
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func standIn(t *testing.T, start func(sandbox.Options) (*sandbox.Server, error), key string) *sandbox.Server {
	t.Helper()
	s, err := start(sandbox.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// freeAddr is a loopback address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := sandbox.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// caddyfile is the whole configuration around a chatkit block.
func (s *site) caddyfile(block string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	auto_https off
	log {
		output file %s
		format json
		level DEBUG
	}
}
%s {
	log {
		output file %s
		format json
	}
	route {
		chatkit {%s
		}
		respond "the app itself: {method} {path}" 418
	}
}
`, strings.TrimPrefix(s.Admin, "http://"), filepath.Join(s.Dir, "caddy.log"), s.URL, filepath.Join(s.Dir, "access.log"), block)
}

// load loads or reloads the site with another block.
func (s *site) load(block string) error {
	return s.loadText(s.caddyfile(block))
}

// answer is what a client gets.
type answer struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any // nil where it is no JSON object
	Took   time.Duration
}

// Provider and Reason are the headers that say who answered.
func (a answer) Provider() string { return a.Header.Get("X-ChatKit-Provider") }
func (a answer) Reason() string   { return a.Header.Get("X-ChatKit-Fallback-Reason") }

// post sends a session request with a body and headers ("Name: value").
func (s *site) post(path, body string, headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, path, body, headers...)
}

// session sends the plainest session request.
func (s *site) session() answer {
	s.t.Helper()
	return s.post("/api/custom/session", "")
}

func (s *site) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// try is do for goroutines and for requests that may fail.
func (s *site) try(method, path, body string, headers ...string) (a answer, err error) {
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	start := time.Now()
	resp, err := s.client.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a = answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(raw), Took: time.Since(start)}
	_ = json.Unmarshal(raw, &a.Body)
	return a, err
}
