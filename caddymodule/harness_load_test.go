package caddymodule_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// quick is the providers of twoProviders, each with more options, and nobody
// to serve: user or anonymous is the test's to add.
func quick(options string) string {
	return `
	provider backend {env.TEST_BACKEND_URL} {
		key {env.TEST_BACKEND_KEY}
		retries 0
		` + options + `
	}
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_test
		retries 0
		` + options + `
	}`
}

// loadText loads or reloads a whole configuration.
func (*site) loadText(caddyfile string) error {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return err
	}
	return caddy.Load(config, true)
}

// newSiteBehind is newSite with directives in front of the chatkit block.
func newSiteBehind(t *testing.T, directives, block string) *site {
	t.Helper()
	const handler = "\t\tchatkit {"
	s := newUnloadedSite(t)
	if err := s.loadText(strings.Replace(s.caddyfile(block), handler, directives+"\n"+handler, 1)); err != nil {
		t.Fatal(err)
	}
	return s
}

// ownBackend is a backend that answers as a test has it, for what the stand-in
// does not do. It returns its address.
func ownBackend(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// inFront is the block of a visitor's chat with one backend, with more options.
func inFront(url, options string) string {
	return "\n anonymous\n provider backend " + url + " {\n retries 0\n " + options + "\n }"
}
