package demo_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
)

// The demo's own curl lines, as printed, show what they say: served by the
// backend; broken, by openai with the reason; healed, by the backend again.
func TestDemo(t *testing.T) {
	testtools.Program(t, "curl")
	p, _ := startDemo(t)
	lines := regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(p.Output(), -1)
	if len(lines) != 3 {
		t.Fatalf("printed %d curl lines, want one to create, to break and to heal", len(lines))
	}
	create, breakIt, heal := lines[0][1], lines[1][1], lines[2][1]
	steps := []struct{ line, want, logged string }{
		{create, "X-Chatkit-Provider: backend", `served by backend  \(`},
		{breakIt, `"fault":"refuse"`, ""},
		{create, "X-Chatkit-Fallback-Reason: dial", `served by openai, the first provider failed: dial  \(`},
		{heal, `"fault":"none"`, ""},
		{create, "X-Chatkit-Provider: backend", `(?s)served by backend.*served by openai.*served by backend`},
	}
	for _, step := range steps {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", step.line+" -sS").CombinedOutput()
		if err != nil || !strings.Contains(string(out), step.want) {
			t.Errorf("%s: %v, want %s in: %s", step.line, err, step.want, out)
		}
		if step.logged != "" {
			p.Await(t, step.logged)
		}
	}
}
