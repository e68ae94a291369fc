package main_test

import (
	"net/http"
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
		`(?m)^\S+ session, refresh: backend serves \(backend, then openai\)$`,
		`(?m)^PROVIDER +MODULE +STATE +SINCE +UNTIL +SERVED 1M +RATE +FAILING SINCE +LAST FAILURE +FORCED BECAUSE$`,
		`(?m)^backend +backend +closed +\d+s ago +- +- +0/s +- +- +-$`,
		`(?m)^openai +openai +closed `)

	out, err = in.control(t, "chatkit-breaker", "open", "backend", "--for", "10m", "--reason", "deploy of the backend")
	matches(t, out, err, `(?m)^backend +backend +forced_open +0s ago +in (10m0s|9m59s) .* deploy of the backend$`)
	if got := in.reason(t); got != "forced_open" {
		t.Errorf("fallback because %q", got)
	}
	in.write(t, in.text("deadline 9s"))
	if out, err := in.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err = in.control(t, "chatkit-status")
	matches(t, out, err, `(?m)^backend .* forced_open .* deploy of the backend$`, `(?m)^\S+ session, refresh: openai serves \(backend, then openai\)$`,
		`(?m)^openai .* 100% `, `(?m)^backend .* 0% `, `(?m)^backend: forced by \S*@\S+ by chatkit-breaker from 127\.0\.0\.1$`)

	out, err = in.control(t, "chatkit-breaker", "auto", "backend")
	matches(t, out, err, `(?m)^backend .* closed .* -$`)
	if got := in.reason(t); got != "" {
		t.Errorf("fallback because %q", got)
	}

	testsite.Set(t, in.backend, sandbox.Status500)
	in.reason(t)
	in.reason(t)
	out, err = in.control(t, "chatkit-status")
	matches(t, out, err, `(?m)^backend .* open +\d+s ago +in \S+ .* \d+s ago +status_5xx \(500\) \d+s ago +-$`,
		`(?m)^backend: last error: provider answered 500$`)
	out, err = in.control(t, "chatkit-status", "--fallbacks")
	matches(t, out, err, `(?m)^FALLBACK AT +PROVIDER +SERVED BY +REASON +PATH +REQUEST$`,
		`(?m)^\d{4}-\S+ \S+ +backend +openai +status_5xx +/api/custom/session +[0-9a-f]{32}$`)
	out, err = in.control(t, "chatkit-breaker", "close", "backend", "--for", "1h")
	matches(t, out, err, `(?m)^backend .* forced_closed .* in (1h0m0s|59m59s) .* status_5xx \(500\) .* no reason given$`)
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
		{[]string{"chatkit-breaker"}, "action and provider are missing (want open, close or auto, and a provider)"},
		{[]string{"chatkit-breaker", "open"}, "open: provider is missing (want backend, openai)"},
		{[]string{"chatkit-breaker", "explode", "backend"}, `unknown action \"explode\" (want open, close or auto)"`},
		{[]string{"chatkit-breaker", "opne", "backend"}, `unknown action \"opne\" (want open, close or auto); did you mean open?`},
		{[]string{"chatkit-breaker", "backend", "open"}, `unknown action \"backend\" (want open, close or auto); did you mean open backend?`},
		{[]string{"chatkit-breaker", "auto", "backend", "now"}, `unexpected argument \"now\" after auto backend`},
		{[]string{"chatkit-breaker", "open", "backend"}, "--for is missing"},
		{[]string{"chatkit-breaker", "open", "backend", "--for", "25h"}, `(want at most 24h)`},
		{[]string{"chatkit-breaker", "open", "backnd", "--for", "1m"}, `no provider \"backnd\" (want backend, openai); did you mean backend?`},
		{[]string{"chatkit-breaker", "auto", "elsewhere"}, `no provider \"elsewhere\" (want backend, openai)"`},
		{[]string{"chatkit-status", "backend"}, `unexpected argument \"backend\"`},
		{[]string{"chatkit-status", "--watch", "soon"}, `invalid interval \"soon\" (want 500ms to 1m, such as 2s)`},
		{[]string{"chatkit-status", "--watch=1h"}, `invalid interval \"1h\"`},
		{[]string{"chatkit-status", "--watch", "2s", "backend"}, `unexpected argument \"backend\"`},
		{[]string{"chatkit-status", "--page", "0.0.0.0:0"}, "is not of this machine alone"},
		{[]string{"chatkit-status", "--page", "2020"}, `invalid address \"2020\" (want localhost:2020)`},
	} {
		out, err := in.control(t, tt.args...)
		if err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("%v: got %v: %s", tt.args, err, out)
		}
	}
	out, err := testsite.Run(t, nil, "chatkit-status", "--address", testsite.FreeAddr(t))
	if err == nil || !strings.Contains(out, "connection refused (is Caddy running? give another address with --address") {
		t.Errorf("nobody there: got %v: %s", err, out)
	}
	out, err = testsite.Run(t, nil, "chatkit-status", "--config", in.file, "--adapter", "caddyfile")
	if err != nil || !strings.Contains(out, "backend") {
		t.Errorf("by its configuration: got %v: %s", err, out)
	}
}

// Shells complete the actions and the names of the running providers.
func TestOperatorCompletion(t *testing.T) {
	in := install(t)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"actions", []string{"chatkit-breaker", ""}, "open\nclose\nauto\n:4\n"},
		{"providers", []string{"chatkit-breaker", "--address", in.admin, "open", ""}, "backend\nopenai\n:4\n"},
		{"nothing after them", []string{"chatkit-breaker", "--address", in.admin, "open", "backend", ""}, ":4\n"},
		{"no Caddy", []string{"chatkit-breaker", "--address", testsite.FreeAddr(t), "open", ""}, ":4\n"},
		{"no files", []string{"chatkit-status", ""}, ":4\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := testsite.Run(t, nil, append([]string{"__complete"}, tt.args...)...)
			if err != nil || !strings.HasPrefix(out, tt.want) {
				t.Errorf("got %v: %s", err, out)
			}
		})
	}
}

// The status is printed again and again, through a reload.
func TestOperatorWatch(t *testing.T) {
	in := install(t)
	p := testsite.Start(t, "chatkit-status", "--watch", "500ms", "--address", in.admin)
	p.Await(t, `(?s)(backend serves .*){2}`)
	in.write(t, in.text("deadline 9s"))
	if out, err := in.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := in.control(t, "chatkit-breaker", "open", "backend", "--for", "1m"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.Await(t, `(?s)openai serves .*forced_open.*no reason given`)
	p.Stop()
}

// The page of the command reaches the status and the breakers and nothing else of
// the admin API, and only for this machine.
func TestOperatorPage(t *testing.T) {
	in := install(t)
	port := testsite.FreePort(t)
	p := testsite.Start(t, "chatkit-status", "--page", "localhost:"+port, "--address", in.admin)
	url := strings.TrimSuffix(p.Await(t, `The status page is at (\S+) until Ctrl-C`)[1], "/chatkit/")
	loopback := strings.Replace(url, "localhost", "127.0.0.1", 1)
	browser := []string{"Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-origin"}
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"the status", "GET", "/chatkit/status", "", browser, 200},
		{"forcing", "POST", "/chatkit/providers/backend/open", `{"for":"1m"}`, append(browser, "Origin: "+url), 200},
		{"another site forces", "POST", "/chatkit/providers/backend/auto", "", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403},
		{"the configuration", "GET", "/config/", "", browser, 404},
		{"a way up", "GET", "/chatkit/..%2fconfig/", "", browser, 404},
		{"stopping Caddy", "POST", "/stop", "", append(browser, "Origin: "+url), 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := testsite.Do(t, http.DefaultClient, tt.method, loopback+tt.path, tt.body, tt.headers...)
			if a.Status != tt.status {
				t.Errorf("got %d %s, want %d", a.Status, a.Raw, tt.status)
			}
		})
	}
	r, err := testsite.Request(t.Context(), http.MethodGet, loopback+"/chatkit/status", "")
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("by another name: got %d", resp.StatusCode)
	}
	if out, err := in.control(t, "chatkit-status"); err != nil || !strings.Contains(out, "forced_open") {
		t.Errorf("the breaker: %v %s", err, out)
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
	matches(t, out, err, `(?m)^backend +backend +forced_open +\d+s ago +in (10m0s|9m\d+s) .* deploy of the backend$`)
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
