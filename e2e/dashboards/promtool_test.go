package dashboards_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// promtool has nothing to say against our series.
func TestPromtool(t *testing.T) {
	promtool := testtools.Program(t, "promtool")
	s := testsite.New(t, testsite.TwoProviders)
	testsite.Set(t, s.Backend, sandbox.Status500)
	for range 7 { // until the breaker is open
		s.Session()
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(s.Get(s.Admin + "/metrics"))
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "caddy_chatkit_") || strings.Contains(line, "error while linting") {
			t.Error(line)
		}
	}
	if err != nil { // Caddy's own series may well have their complaints
		t.Logf("%v: %s", err, out)
	}
}
