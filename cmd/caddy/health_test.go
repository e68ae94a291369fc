package main_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// What a container's health check runs says by its exit status how the process is.
func TestHealthCommand(t *testing.T) {
	in := install(t)
	for _, flag := range []string{"--ready=false", "--ready"} {
		out, err := in.control(t, "chatkit-health", flag)
		matches(t, out, err, `^ok\n$`)
	}
	for _, name := range []string{"backend", "openai"} {
		out, err := in.control(t, "chatkit-breaker", "open", name, "--for", "1m")
		matches(t, out, err, "forced_open")
	}
	out, err := in.control(t, "chatkit-health")
	matches(t, out, err, `^ok\n$`)
	in.unwell(t, "no provider of these routes may be asked", "--ready")
	in.unwell(t, `invalid timeout \S+soon\S+ \(want 500ms, 2s\)`, "--timeout", "soon")
	in.unwell(t, `invalid timeout \S+0s`, "--timeout", "0s")
	in.unwell(t, "unknown command", "up")
	in.Stop()
	in.unwell(t, "no admin API at .*: connection refused")
}

// A process that accepts connections and never answers is not well.
func TestHealthCommandWaitsNotForEver(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	in := &installation{admin: ln.Addr().String()}
	begin := time.Now()
	in.unwell(t, "no answer of the admin API within 300ms", "--timeout", "300ms")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

// unwell fails where the command does not say that something is wrong.
func (in *installation) unwell(t *testing.T, pattern string, flags ...string) {
	t.Helper()
	out, err := in.control(t, append([]string{"chatkit-health"}, flags...)...)
	if err == nil {
		t.Errorf("%v: exit status 0: %s", flags, out)
	}
	matches(t, out, nil, pattern)
}

// While shutdown_delay lasts the process serves, and says that it is not ready.
func TestNotReadyWhileShuttingDown(t *testing.T) {
	in, probes := install(t), testsite.Nobody(t)
	text := strings.Replace(in.text(""), "persist_config off", "persist_config off\n\tshutdown_delay 2s", 1)
	in.write(t, text+probes+" {\n\tchatkit_health\n}\n")
	if out, err := in.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ready := func(url string) string {
		a := testsite.Do(t, http.DefaultClient, http.MethodGet, url, "")
		return fmt.Sprint(a.Status, " ", strings.TrimSpace(a.Raw))
	}
	admin := "http://" + in.admin + "/chatkit/ready"
	for _, url := range []string{admin, probes + "/ready"} {
		if got := ready(url); got != `200 {"ready":true}` {
			t.Errorf("before: got %s", got)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.Interrupt(t)
	}()
	in.Await(t, "shutdown scheduled")
	for _, url := range []string{admin, probes + "/ready"} {
		if got := ready(url); got != `503 {"ready":false,"reason":"the process is shutting down"}` {
			t.Errorf("while shutting down: got %s", got)
		}
	}
	if got := in.reason(t); got != "" {
		t.Errorf("while shutting down: fallback because %q", got)
	}
	if got := ready(probes + "/live"); got != `200 {"live":true}` {
		t.Errorf("while shutting down: got %s", got)
	}
	<-ended
}
