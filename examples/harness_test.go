package examples_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The keys of Sendbird's stand-in, and the one that openai-sdk asks for itself.
const (
	sendbirdToken = "token-of-sendbird"
	appKey        = "key-of-the-app"
	visitorKey    = "0123456789abcdef0123456789abcdef"
)

// site is an example that is served, and what stands behind it.
type site struct {
	*testsite.Site

	Sendbird *sandbox.Server
	App      *httptest.Server
}

// newSite starts what all examples have behind them.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		Site:     testsite.NewUnloaded(t),
		Sendbird: testsite.StandIn(t, sandbox.NewSendbird, sandbox.Options{Key: sendbirdToken}),
		App:      httptest.NewServer(http.HandlerFunc(app)),
	}
	t.Cleanup(s.App.Close)
	for name, value := range map[string]string{
		"CUSTOM_BACKEND_URL": s.Backend.URL(), "CUSTOM_BACKEND_KEY": testsite.BackendKey, "OPENAI_API_KEY": testsite.OpenAIKey,
		"CHATKIT_WORKFLOW_ID": "wf_example", "CHATKIT_APP_KEY": appKey, "VISITOR_KEY": visitorKey, "CHATKIT_DRILL_TOKEN": "a-token-that-nobody-guesses",
		"REDIS_URL": "redis://127.0.0.1:1", "FLEET_KEY": "0123456789abcdef0123456789abcdef", // nobody is there, as it may be
		"SENDBIRD_APP_ID": "EXAMPLE-APP", "SENDBIRD_API_TOKEN": sendbirdToken,
	} {
		t.Setenv(name, value)
	}
	return s
}

// global are the options an example does not need in production. Addresses are
// believed, so that one test can be many clients.
const global = `
	admin off
	persist_config off
	auto_https off
`

// believe follows "servers {".
const believe = `
		trusted_proxies static 127.0.0.1/32
		trusted_proxies_strict`

var (
	options = regexp.MustCompile(`(?m)^\{$`)
	address = regexp.MustCompile(`(?m)^(?:[a-z.]+\.example\.com|http://localhost:8080|:8080) \{$`)
)

// serve loads an example.
func (s *site) serve(example string) {
	s.T.Helper()
	s.serveText(read(s.T, example))
}

// serveText loads a Caddyfile, with its own address and those of the services it
// leaves to their defaults replaced.
func (s *site) serveText(text string) {
	s.T.Helper()
	if !options.MatchString(text) {
		text = "{\n}\n" + text
	}
	if own := global; strings.Contains(text, "\n\tlog {") {
		text = strings.Replace(text, "\n\tlog {", "\n\tlog {\n\t\toutput file "+filepath.Join(s.Dir, "caddy.log"), 1)
		text = options.ReplaceAllString(text, "{"+own)
	} else {
		text = options.ReplaceAllString(text, "{"+own+"\tlog {\n\t\toutput discard\n\t}\n")
	}
	text = strings.Replace(text, "\n\tservers {", "\n\tservers {"+believe, 1)
	text = address.ReplaceAllString(text, s.URL+" {")
	text = strings.Replace(text, "base_url https://api.openai.com/v1", "", 1)
	for old, replacement := range map[string]string{
		"127.0.0.1:3000":          strings.TrimPrefix(s.App.URL, "http://"),
		"http://127.0.0.1:8000":   s.Backend.URL() + " {\nkey " + testsite.BackendKey + "\n}",
		"http://127.0.0.1:8001 {": s.Backend.URL() + " {\nkey " + testsite.BackendKey,
		"localhost:3000":          strings.TrimPrefix(s.App.URL, "http://"),
		"provider openai {":       "provider openai {\n base_url " + s.OpenAI.URL() + "/v1",
		"provider sendbird {":     "provider sendbird {\n host " + s.Sendbird.URL(),
	} {
		text = strings.ReplaceAll(text, old, replacement)
	}
	s.LoadText(text)
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

// refuse lets a stand-in refuse every connection.
func refuse(t *testing.T, s *sandbox.Server) {
	t.Helper()
	testsite.Set(t, s, sandbox.Refuse)
}

// sent is the body of the last request to a stand-in.
func sent(t *testing.T, s *sandbox.Server) (body map[string]any) {
	t.Helper()
	all := s.Requests()
	if len(all) == 0 {
		t.Fatal("it was not asked")
	}
	if err := json.Unmarshal(all[len(all)-1].Body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}
