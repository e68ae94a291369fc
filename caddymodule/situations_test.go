package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// situation is a way to get one kind of answer: all of DESIGN's table is here.
type situation struct {
	name            string
	block           string        // default: visitor
	backend, openai sandbox.Fault // default: none
	before          int           // requests of the same kind that go before
	method          string        // default: POST
	body            string
	headers         []string

	status     int
	code       string // "" where there is a session
	provider   string // of the header
	reason     string // of the header
	retryAfter string // of the header
}

// visitor are two quick providers for anybody; eager are the same with breakers
// that open at the first failure.
var (
	visitor = "\n anonymous" + quick("timeout 200ms")
	eager   = "\n anonymous" + quick("timeout 200ms\n breaker {\n consecutive 1\n open 20s\n }")
)

var situations = []situation{
	{name: "session", status: 200, provider: "backend"},
	{name: "fallback", backend: sandbox.Status500, status: 200, provider: "openai", reason: "status_5xx"},
	{name: "fallback from an open breaker", block: eager, backend: sandbox.Refuse, before: 1, status: 200, provider: "openai", reason: "open"},

	{name: "array for a body", body: `[]`, status: 400, code: "BAD_REQUEST"},
	{name: "no user", block: quick(""), status: 401, code: "UNAUTHORIZED"},
	{name: "GET", method: http.MethodGet, status: 405, code: "METHOD_NOT_ALLOWED"},
	{name: "HEAD", method: http.MethodHead, status: 405, code: "METHOD_NOT_ALLOWED"},
	{name: "PUT", method: http.MethodPut, status: 405, code: "METHOD_NOT_ALLOWED"},
	{name: "PATCH", method: http.MethodPatch, status: 405, code: "METHOD_NOT_ALLOWED"},
	{name: "DELETE", method: http.MethodDelete, status: 405, code: "METHOD_NOT_ALLOWED"},
	{name: "unknown method", method: "BREW", status: 405, code: "METHOD_NOT_ALLOWED"},
	{name: "too large a body", body: strings.Repeat(" ", 64<<10+1), status: 413, code: "BODY_TOO_LARGE"},
	{
		name: "form", body: "model=m", headers: []string{"Content-Type: application/x-www-form-urlencoded"},
		status: 415, code: "UNSUPPORTED_MEDIA_TYPE",
	},

	{name: "rejected 400", backend: sandbox.Status400, status: 400, code: "REJECTED", provider: "backend"},
	{name: "rejected 403", backend: sandbox.Status403, status: 403, code: "REJECTED", provider: "backend"},
	{name: "rejected 409", backend: sandbox.Status409, status: 409, code: "REJECTED", provider: "backend"},
	{name: "rejected 422", backend: sandbox.Status422, status: 422, code: "REJECTED", provider: "backend"},
	{
		name: "rejected by the second", backend: sandbox.Status500, openai: sandbox.Status403,
		status: 403, code: "REJECTED", provider: "openai",
	},

	{name: "all rate limited", backend: sandbox.Status429Bare, openai: sandbox.Status429Bare, status: 429, code: "RATE_LIMITED", retryAfter: "1"},
	{name: "all rate limited for 1s", backend: sandbox.Status429, openai: sandbox.Status429, status: 429, code: "RATE_LIMITED", retryAfter: "1"},
	{name: "one rate limited, one failed", backend: sandbox.Status429, openai: sandbox.Status500, status: 502, code: "SESSION_ERROR"},
	{name: "all failed", backend: sandbox.Status500, openai: sandbox.HTML, status: 502, code: "SESSION_ERROR"},
	{name: "all refuse connections", backend: sandbox.Refuse, openai: sandbox.Refuse, status: 502, code: "SESSION_ERROR"},
	{name: "all misconfigured", backend: sandbox.Status401, openai: sandbox.Status404, status: 502, code: "SESSION_ERROR"},
	{name: "the first timed out", backend: sandbox.Hang, openai: sandbox.Status500, status: 502, code: "SESSION_ERROR"},
	{name: "open, then failed", block: eager, backend: sandbox.Reset, openai: sandbox.Status400, before: 1, status: 400, code: "REJECTED", provider: "openai"},
	{
		name: "all open", block: eager, backend: sandbox.Refuse, openai: sandbox.Status500, before: 1,
		status: 503, code: "SESSION_ERROR", retryAfter: "about 20",
	},
	{
		name: "all cooling down", backend: sandbox.Status503Retry, openai: sandbox.Status429, before: 1,
		status: 503, code: "SESSION_ERROR", retryAfter: "1",
	},
	{name: "the last timed out", backend: sandbox.Status500, openai: sandbox.Hang, status: 504, code: "SESSION_ERROR"},
	{name: "all timed out", backend: sandbox.Hang, openai: sandbox.Hang, status: 504, code: "SESSION_ERROR"},
	{
		name: "open, then timed out", block: withBreaker("consecutive 1\n open 1m"), backend: sandbox.Refuse, openai: sandbox.Hang,
		before: 1, status: 504, code: "SESSION_ERROR",
	},
}

// start brings a site into the situation.
func (c *situation) start(t *testing.T) *site {
	t.Helper()
	block := c.block
	if block == "" {
		block = visitor
	}
	s := newSite(t, block)
	for server, fault := range map[*sandbox.Server]sandbox.Fault{s.Backend: c.backend, s.OpenAI: c.openai} {
		if fault != "" {
			testsite.Set(t, server, fault)
		}
	}
	for range c.before {
		c.ask(s)
	}
	return s
}

// ask sends the situation's request, with more headers.
func (c *situation) ask(s *site, headers ...string) answer {
	s.T.Helper()
	method := c.method
	if method == "" {
		method = http.MethodPost
	}
	return s.Do(method, "/api/custom/session", c.body, append(headers, c.headers...)...)
}
