package main_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// control runs a command for operators against the running Caddy.
func (in *installation) control(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return testsite.Run(t, nil, append(args, "--address", in.admin)...)
}

// matches fails where the output of a command is not as it should be.
func matches(t *testing.T, out string, err error, patterns ...string) {
	t.Helper()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(out) {
			t.Errorf("got %s\nwant %s", out, p)
		}
	}
}

// What an operator on call does: look, force open, reload, look again, give it
// back.
func TestOperatorCommands(t *testing.T) {
	in := install(t)
	out, err := in.control(t, "chatkit-status")
	matches(t, out, err,
		`(?m)^PROVIDER +MODULE +STATE +SINCE +UNTIL +LAST FAILURE +FORCED BECAUSE$`,
		`(?m)^backend +backend +closed +\d+s ago +- +- +-$`,
		`(?m)^openai +openai +closed `)

	out, err = in.control(t, "chatkit-breaker", "open", "backend", "--for", "10m", "--reason", "deploy of the backend")
	matches(t, out, err, `(?m)^backend +backend +forced_open +0s ago +in (10m0s|9m59s) +- +deploy of the backend$`)
	if got := in.reason(t); got != "forced_open" {
		t.Errorf("fallback because %q", got)
	}
	in.write(t, in.text("deadline 9s"))
	if out, err := in.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err = in.control(t, "chatkit-status")
	matches(t, out, err, `(?m)^backend .* forced_open .* deploy of the backend$`)

	out, err = in.control(t, "chatkit-breaker", "auto", "backend")
	matches(t, out, err, `(?m)^backend .* closed .* -$`)
	if got := in.reason(t); got != "" {
		t.Errorf("fallback because %q", got)
	}

	testsite.Set(t, in.backend, sandbox.Status500)
	in.reason(t)
	in.reason(t)
	out, err = in.control(t, "chatkit-status")
	matches(t, out, err, `(?m)^backend .* open +\d+s ago +in \S+ +status_5xx \(500\) \d+s ago +-$`)
	out, err = in.control(t, "chatkit-breaker", "close", "backend", "--for", "1h")
	matches(t, out, err, `(?m)^backend .* forced_closed .* in (1h0m0s|59m59s) +status_5xx \(500\) .* no reason given$`)
	out, err = in.control(t, "chatkit-status", "--json")
	matches(t, out, err, `^\[\{"id":"backend"`)
}

// The commands say what is wrong with them, and exit with an error.
func TestOperatorCommandErrors(t *testing.T) {
	in := install(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"chatkit-breaker"}, "takes open, close or auto, and a provider"},
		{[]string{"chatkit-breaker", "open"}, "takes open, close or auto, and a provider"},
		{[]string{"chatkit-breaker", "explode", "backend"}, "takes open, close or auto, and a provider"},
		{[]string{"chatkit-breaker", "open", "backend"}, "--for is missing"},
		{[]string{"chatkit-breaker", "open", "backend", "--for", "25h"}, `(want at most 24h)`},
		{[]string{"chatkit-breaker", "open", "backnd", "--for", "1m"}, "no provider"},
		{[]string{"chatkit-status", "backend"}, "unexpected argument"},
	} {
		out, err := in.control(t, tt.args...)
		if err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("%v: got %v: %s", tt.args, err, out)
		}
	}
	out, err := testsite.Run(t, nil, "chatkit-status", "--address", testsite.FreeAddr(t))
	if err == nil || !strings.Contains(out, "connection refused") {
		t.Errorf("nobody there: got %v: %s", err, out)
	}
	out, err = testsite.Run(t, nil, "chatkit-status", "--config", in.file, "--adapter", "caddyfile")
	if err != nil || !strings.Contains(out, "backend") {
		t.Errorf("by its configuration: got %v: %s", err, out)
	}
}

// A forced state is there again after a restart, with its end and its reason.
func TestForcedStateOutlivesTheProcess(t *testing.T) {
	in := install(t)
	if out, err := in.control(t, "chatkit-breaker", "open", "backend", "--for", "10m", "--reason", "deploy of the backend"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	in.Interrupt(t)
	in.start(t)
	if got := in.reason(t); got != "forced_open" {
		t.Errorf("fallback because %q", got)
	}
	out, err := in.control(t, "chatkit-status")
	matches(t, out, err, `(?m)^backend +backend +forced_open +\d+s ago +in 9m\d+s +- +deploy of the backend$`)
	if calls := in.backend.Calls(); calls != 0 {
		t.Errorf("backend was called %d times", calls)
	}
	if out, err := in.control(t, "chatkit-breaker", "auto", "backend"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	in.Interrupt(t)
	in.start(t)
	if got := in.reason(t); got != "" {
		t.Errorf("released before the restart: fallback because %q", got)
	}
}
