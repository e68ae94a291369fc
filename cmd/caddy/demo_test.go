package main_test

import (
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testtools"
)

// The demo's own curl lines, as printed, show what they say: served by the
// backend; broken, by openai with the reason; healed, by the backend again.
func TestDemo(t *testing.T) {
	testtools.Program(t, "curl")
	p := start(t, "chatkit-demo", "--port", freePort(t))
	p.await(t, `Ctrl-C ends it`)
	lines := regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(p.out.String(), -1)
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
			p.await(t, step.logged)
		}
	}
	p.interrupt(t)
}

// The quick reference's test request works against the demo, its port aside.
func TestDemoQuickReferenceRequest(t *testing.T) {
	port := freePort(t)
	p := start(t, "chatkit-demo", "--port", port)
	p.await(t, `Ctrl-C ends it`)
	status, body := fetch(t, http.MethodPost, "http://localhost:"+port+"/api/custom/session",
		"Authorization: Bearer test-token", "Content-Type: application/json")
	if status != http.StatusOK || !strings.Contains(body, `"client_secret"`) {
		t.Errorf("got %d: %s", status, body)
	}
	if status, body := fetch(t, http.MethodGet, "http://localhost:"+port+"/metrics"); status != http.StatusOK ||
		!strings.Contains(body, "caddy_chatkit_sessions_total") {
		t.Errorf("metrics: got %d: %s", status, body)
	}
	p.interrupt(t)
}

// With --chaos the backend changes by itself and every session is still served,
// but for the refusals of a caller among the faults.
func TestDemoChaos(t *testing.T) {
	port := freePort(t)
	p := start(t, "chatkit-demo", "--port", port, "--chaos", "50ms")
	p.await(t, `--- backend: none`)
	for range 40 {
		status, body := fetch(t, http.MethodPost, "http://localhost:"+port+"/api/custom/session")
		if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
			t.Errorf("got %d: %s", status, body)
		}
	}
	p.interrupt(t)
}

// A port that is taken, and flags that make no sense, are clear errors.
func TestDemoRefuses(t *testing.T) {
	port := freePort(t)
	p := start(t, "chatkit-demo", "--port", port)
	p.await(t, `Ctrl-C ends it`)
	for _, tt := range []struct{ name, flag, value, want string }{
		{"port out of range", "--port", "70000", "port: 70000 is not between 1 and 65535"},
		{"port taken", "--port", port, "choose another with --port"},
		{"negative chaos", "--chaos", "-1s", "chaos: -1s is negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddy(t, nil, "chatkit-demo", tt.flag, tt.value)
			if err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("got %v, want %q: %s", err, tt.want, out)
			}
		})
	}
	p.interrupt(t)
}
