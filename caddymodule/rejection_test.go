package caddymodule_test

import (
	"net/http"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Where the operator sends refusals on and the last provider refuses too, the
// client learns that it was refused, not that something is broken.
func TestRefusedByAll(t *testing.T) {
	s := newSite(t, `
	anonymous
	provider backend {env.TEST_BACKEND_URL} {
		key {env.TEST_BACKEND_KEY}
		fallback_on 4xx 5xx
	}
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_test
		fallback_on 4xx 5xx
	}`)
	testsite.Set(t, s.Backend, sandbox.Status403)
	if a := s.Session(); a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != "status_4xx" {
		t.Errorf("got %d from %q because %q: %s", a.Status, a.Provider(), a.Reason(), a.Raw)
	}
	testsite.Set(t, s.OpenAI, sandbox.Status403)
	if a := s.Session(); a.Status != http.StatusForbidden || a.Provider() != "openai" || a.Body["code"] != "REJECTED" {
		t.Errorf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
	}
	if s.Backend.Calls() != 2 || s.OpenAI.Calls() != 2 {
		t.Errorf("backend was called %d times and openai %d, want 2 each", s.Backend.Calls(), s.OpenAI.Calls())
	}
}
