package caddymodule_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// attemptLimit is the timeout of the providers of testsite.TwoProviders, and slack what a
// fallback may take beyond it.
const (
	attemptLimit = time.Second
	slack        = 200 * time.Millisecond
)

// Every fault of the backend gives a session from openai, with the reason, in time,
// whichever transport it is called by.
func TestFaultsFallBack(t *testing.T) {
	for _, transport := range []string{"own", testsite.CaddysTransport} {
		t.Run(transport, func(t *testing.T) {
			t.Setenv(testsite.TransportEnv, transport)
			testFaultsFallBack(t)
		})
	}
}

func testFaultsFallBack(t *testing.T) {
	t.Helper()
	tests := []struct {
		fault  sandbox.Fault
		reason string
	}{
		{sandbox.Refuse, "dial"},
		{sandbox.Reset, "reset"},
		{sandbox.Hang, "timeout"},
		{sandbox.Slow, "timeout"},
		{sandbox.Cut, "reset"},
		{sandbox.CutChunked, "reset"},
		{sandbox.Garbage, "reset"},
		{sandbox.Status500, "status_5xx"},
		{sandbox.Status503, "status_5xx"},
		{sandbox.Status503Chunked, "status_5xx"},
		{sandbox.Status503Retry, "status_5xx"},
		{sandbox.Status429, "status_429"},
		{sandbox.Status429Bare, "status_429"},
		{sandbox.Status408, "status_408"},
		{sandbox.Status425, "status_425"},
		{sandbox.Status404, "misconfigured"},
		{sandbox.Status405, "misconfigured"},
		{sandbox.Status501, "misconfigured"},
		{sandbox.Status401, "misconfigured"},
		{sandbox.Status301, "invalid_response"},
		{sandbox.HTML, "invalid_response"},
		{sandbox.Null, "invalid_response"},
		{sandbox.Empty, "invalid_response"},
		{sandbox.NoBody, "invalid_response"},
		{sandbox.EmptySecret, "invalid_response"},
		{sandbox.Numeric, "invalid_response"},
		{sandbox.Expired, "invalid_response"},
		{sandbox.ControlChars, "invalid_response"},
		{sandbox.LongSecret, "invalid_response"},
		{sandbox.Huge, "invalid_response"},
		{sandbox.Nested, "invalid_response"},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault), func(t *testing.T) {
			s := newSite(t, testsite.TwoProviders)
			testsite.Set(t, s.Backend, tt.fault)
			a := s.Session()
			if a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != tt.reason {
				t.Errorf("got %d from %q because %q, want 200 from openai because %s: %s",
					a.Status, a.Provider(), a.Reason(), tt.reason, a.Raw)
			}
			if a.Took > attemptLimit+slack {
				t.Errorf("took %s, want at most %s", a.Took, attemptLimit+slack)
			}
			if tt.fault != sandbox.Refuse && s.Backend.Calls() != 1 {
				t.Errorf("backend was called %d times, want once", s.Backend.Calls())
			}
			if s.OpenAI.Calls() != 1 {
				t.Errorf("openai was called %d times, want once", s.OpenAI.Calls())
			}
			if issued := s.OpenAI.Issued(); len(issued) != 1 || a.Body["client_secret"] != issued[0] {
				t.Errorf("got secret %v, want the one issued: %v", a.Body["client_secret"], issued)
			}
		})
	}
}

// A backend that cannot be reached at all, by the address in the configuration.
func TestUnreachableBackends(t *testing.T) {
	tests := []struct {
		name, url, reason string
		extra             string
	}{
		{"unknown host", "http://backend.invalid", "dns", ""},
		{"TLS to a plain server", "https://{PLAIN}", "tls", ""},
		{"nobody listens", "http://127.0.0.1:1", "dial", ""},
		{"nobody listens, retried", "http://127.0.0.1:1", "dial", "retries 2 20ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			url := tt.url
			if url == "https://{PLAIN}" {
				url = "https" + s.Backend.URL()[len("http"):]
			}
			block := "\n anonymous\n provider backend " + url + " {\n timeout 1s\n " + tt.extra + "\n }" + openaiOnly
			s.Load(block)
			a := s.Session()
			if a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != tt.reason {
				t.Errorf("got %d from %q because %q, want 200 from openai because %s: %s",
					a.Status, a.Provider(), a.Reason(), tt.reason, a.Raw)
			}
			if a.Took > attemptLimit+slack {
				t.Errorf("took %s, want at most %s", a.Took, attemptLimit+slack)
			}
		})
	}
}

// openaiOnly is the second provider of testsite.TwoProviders.
const openaiOnly = `
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_test
		timeout 1s
		retries 0
	}`

// A backend that refuses the caller is obeyed: no session elsewhere, and no
// vote against the backend.
func TestRejections(t *testing.T) {
	for _, tt := range []struct {
		fault  sandbox.Fault
		status int
	}{
		{sandbox.Status400, 400}, {sandbox.Status403, 403}, {sandbox.Status409, 409}, {sandbox.Status422, 422},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			s := newSite(t, testsite.TwoProviders)
			testsite.Set(t, s.Backend, tt.fault)
			const calls = 30
			for range calls {
				a := s.Session()
				if a.Status != tt.status || a.Body["code"] != "REJECTED" || a.Provider() != "backend" || a.Reason() != "" {
					t.Fatalf("got %d from %q because %q: %s", a.Status, a.Provider(), a.Reason(), a.Raw)
				}
			}
			if s.Backend.Calls() != calls || s.OpenAI.Calls() != 0 {
				t.Errorf("backend was called %d times and openai %d, want %d and none", s.Backend.Calls(), s.OpenAI.Calls(), calls)
			}
			if got := s.Metric(`breaker_state{provider="backend",state="closed"}`); got != 1 {
				t.Error("the breaker is not closed")
			}
			if got := s.Metric(`sessions_total{outcome="rejected",route="session",served_by="backend"}`); got < calls {
				t.Errorf("counted %v rejections, want at least %d", got, calls)
			}
		})
	}
}
