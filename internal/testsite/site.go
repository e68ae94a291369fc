package testsite

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // Caddyfiles of tests use them

	_ "github.com/caddy-chatkit/caddy-chatkit" // the plugin
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// Site is the real Caddy with a real listener, in front of two stand-ins.
type Site struct {
	T       *testing.T
	URL     string // of the site
	Admin   string // URL of the admin API
	Backend *sandbox.Server
	OpenAI  *sandbox.Server
	Dir     string       // access.log, caddy.log and the storage are here
	Client  *http.Client // follows no redirects
}

// The keys the stand-ins ask for.
const (
	BackendKey = "planted-backend-key-7d1f"
	OpenAIKey  = "planted-openai-key-93aa"
)

// TwoProviders is the block most tests use: both stand-ins, without retries.
const TwoProviders = `
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

// Backends returns a chatkit block with a backend for each URL, called a, b, …
// in order of preference, and with more options. A URL may have lines with
// options of its own behind it.
func Backends(options string, urls ...string) string {
	var text strings.Builder
	text.WriteString("\n anonymous\n " + options)
	for i, url := range urls {
		url, own, _ := strings.Cut(url, "\n")
		fmt.Fprintf(&text, "\n provider backend %s {\n name %c\n retries 0\n %s\n }", url, 'a'+i, own)
	}
	return text.String()
}

// New starts the stand-ins and loads a site with a chatkit block.
func New(t *testing.T, block string) *Site {
	t.Helper()
	s := NewUnloaded(t)
	s.Load(block)
	return s
}

// NewUnloaded starts the stand-ins only: a reload right behind a load can cost
// the first connection, so a test that wants more than a chatkit block loads it
// all at once.
func NewUnloaded(t *testing.T) *Site {
	t.Helper()
	s := &Site{
		T: t, Dir: t.TempDir(), URL: Nobody(t), Admin: Nobody(t),
		Backend: StandIn(t, sandbox.NewBackend, sandbox.Options{Key: BackendKey}),
		OpenAI:  StandIn(t, sandbox.NewOpenAI, sandbox.Options{Key: OpenAIKey}),
		Client: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	t.Setenv("TEST_BACKEND_URL", s.Backend.URL())
	t.Setenv("TEST_BACKEND_KEY", BackendKey)
	t.Setenv("TEST_OPENAI_URL", s.OpenAI.URL())
	t.Setenv("TEST_OPENAI_KEY", OpenAIKey)
	t.Cleanup(func() {
		s.Client.CloseIdleConnections()
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// StandIn starts a stand-in, which ends with the test.
func StandIn(t *testing.T, start func(sandbox.Options) (*sandbox.Server, error), o sandbox.Options) *sandbox.Server {
	t.Helper()
	s, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Set switches the fault of a stand-in.
func Set(t *testing.T, s *sandbox.Server, f sandbox.Fault) {
	t.Helper()
	if err := s.Set(f); err != nil {
		t.Fatal(err)
	}
}

// Caddyfile returns the whole configuration around a chatkit block.
func (s *Site) Caddyfile(block string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	auto_https off
	storage file_system %s
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
`, strings.TrimPrefix(s.Admin, "http://"), filepath.Join(s.Dir, "storage"), filepath.Join(s.Dir, "caddy.log"), s.URL, filepath.Join(s.Dir, "access.log"), block)
}

// Load loads or reloads the site with another block.
func (s *Site) Load(block string) {
	s.T.Helper()
	s.LoadText(s.Caddyfile(block))
}

// LoadText loads or reloads a whole Caddyfile.
func (s *Site) LoadText(caddyfile string) {
	s.T.Helper()
	if err := s.TryLoadText(caddyfile); err != nil {
		s.T.Fatal(err)
	}
}

// TryLoad loads a block that may be rejected.
func (s *Site) TryLoad(block string) error { return s.TryLoadText(s.Caddyfile(block)) }

// TryLoadText loads a Caddyfile that may be rejected.
func (*Site) TryLoadText(caddyfile string) error {
	config, err := Adapt(caddyfile)
	if err != nil {
		return err
	}
	if os.Getenv(TransportEnv) == CaddysTransport {
		config = viaCaddy(config)
	}
	return caddy.Load(config, true)
}

// Adapt returns the JSON of a Caddyfile.
func Adapt(caddyfile string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	return config, err
}
