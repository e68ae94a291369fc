package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A request that is under way when a reload replaces its handler still falls
// back, and is still told of: what it needs is not gone with the handler.
func TestReloadDuringARequest(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		status     int
	}{
		{"session", "/api/custom/session", http.StatusOK},                // by openai
		{"stream", "/api/custom/stream", http.StatusInternalServerError}, // the backend's own
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, goOn := make(chan struct{}, 1), make(chan struct{})
			url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
				asked <- struct{}{}
				<-goOn
				w.WriteHeader(http.StatusInternalServerError)
			})
			s := newUnloadedSite(t)
			block := strings.ReplaceAll(strings.Replace(testsite.TwoProviders, "{env.TEST_BACKEND_URL}", url, 1), "timeout 1s", "timeout 20s")
			s.Load(block)
			testsite.Set(t, s.OpenAI, sandbox.None)
			type result struct {
				answer
				err error
			}
			got := make(chan result, 1)
			go func() {
				a, err := s.Try(http.MethodPost, tt.path, "")
				got <- result{a, err}
			}()
			testsite.Receive(t, asked)
			s.Load(block + "\n deadline 20s")
			close(goOn)
			if a := testsite.Receive(t, got); a.err != nil || a.Status != tt.status {
				t.Errorf("got %d %s, %v", a.Status, a.Raw, a.err)
			}
		})
	}
}
