package examples_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// The keys of the stand-ins, and the one that openai-sdk asks for itself.
const (
	backendKey    = "key-of-the-backend"
	openaiKey     = "key-of-openai"
	sendbirdToken = "token-of-sendbird"
	appKey        = "key-of-the-app"
)

// site is an example that is served, and what stands behind it.
type site struct {
	t        *testing.T
	URL      string
	Backend  *sandbox.Server
	OpenAI   *sandbox.Server
	Sendbird *sandbox.Server
	App      *httptest.Server
	client   *http.Client
}

// newSite starts what all examples have behind them.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		t:        t,
		Backend:  standIn(t, sandbox.NewBackend, backendKey),
		OpenAI:   standIn(t, sandbox.NewOpenAI, openaiKey),
		Sendbird: standIn(t, sandbox.NewSendbird, sendbirdToken),
		App:      httptest.NewServer(http.HandlerFunc(app)),
		client: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	t.Cleanup(s.App.Close)
	t.Cleanup(s.client.CloseIdleConnections)
	for name, value := range map[string]string{
		"CUSTOM_BACKEND_URL": s.Backend.URL(), "CUSTOM_BACKEND_KEY": backendKey, "OPENAI_API_KEY": openaiKey,
		"CHATKIT_WORKFLOW_ID": "wf_example", "CHATKIT_APP_KEY": appKey,
		"SENDBIRD_APP_ID": "EXAMPLE-APP", "SENDBIRD_API_TOKEN": sendbirdToken,
	} {
		t.Setenv(name, value)
	}
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

// global are the options an example does not need in production. Addresses are
// believed, so that one test can be many clients.
const global = `{
	admin off
	persist_config off
	auto_https off
	log {
		output discard
	}
	servers {
		trusted_proxies static 127.0.0.1/32
	}
}
`

var address = regexp.MustCompile(`(?m)^[a-z.]+\.example\.com \{$`)

// serve loads an example, with its own address and those of the services it
// leaves to their defaults replaced.
func (s *site) serve(example string) {
	s.t.Helper()
	addr := freeAddr(s.t)
	text := global + address.ReplaceAllString(read(s.t, example), "http://"+addr+" {")
	for old, replacement := range map[string]string{
		"localhost:3000":      strings.TrimPrefix(s.App.URL, "http://"),
		"provider openai {":   "provider openai {\n base_url " + s.OpenAI.URL() + "/v1",
		"provider sendbird {": "provider sendbird {\n host " + s.Sendbird.URL(),
	} {
		text = strings.ReplaceAll(text, old, replacement)
	}
	s.t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			s.t.Error(err)
		}
	})
	if err := caddy.Load(adapted(s.t, text), true); err != nil {
		s.t.Fatal(err)
	}
	s.URL = "http://" + addr
}

// adapted is the JSON of a Caddyfile.
func adapted(t *testing.T, text string) []byte {
	t.Helper()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return config
}

// read is the Caddyfile of an example.
func read(t *testing.T, example string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(example, "Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
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

// refuse lets a stand-in refuse every connection.
func refuse(t *testing.T, s *sandbox.Server) {
	t.Helper()
	if err := s.Set(sandbox.Refuse); err != nil {
		t.Fatal(err)
	}
}
