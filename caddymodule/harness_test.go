package caddymodule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// site is a site with what only tests of this package do to it.
type site struct{ *testsite.Site }

type answer = testsite.Answer

// newSite starts the stand-ins and loads a site with a chatkit block.
func newSite(t *testing.T, block string) *site {
	t.Helper()
	return &site{testsite.New(t, block)}
}

// newUnloadedSite starts the stand-ins only.
func newUnloadedSite(t *testing.T) *site {
	t.Helper()
	return &site{testsite.NewUnloaded(t)}
}

// newSiteBehind is newSite with directives in front of the chatkit block.
func newSiteBehind(t *testing.T, directives, block string) *site {
	t.Helper()
	const handler = "\t\tchatkit {"
	s := newUnloadedSite(t)
	s.LoadText(strings.Replace(s.Caddyfile(block), handler, directives+"\n"+handler, 1))
	return s
}

// quick is the providers of testsite.TwoProviders, each with more options, and
// nobody to serve: user or anonymous is the test's to add.
func quick(options string) string {
	return strings.NewReplacer("anonymous", "", "timeout 1s", options).Replace(testsite.TwoProviders)
}

// inFront is the block of a visitor's chat with one backend, with more options.
func inFront(url, options string) string {
	return "\n anonymous\n provider backend " + url + " {\n retries 0\n " + options + "\n }"
}

// head is the head of a session request with headers ("Name: value").
func head(headers ...string) string {
	return "POST /api/custom/session HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

// sized is a header for a body of n bytes.
func sized(n int) string { return fmt.Sprintf("Content-Length: %d", n) }
