package caddymodule_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func init() { caddy.RegisterModule(eventKeeper{}) }

// eventKeeper is a handler of Caddy's events that keeps them.
type eventKeeper struct{}

// kept is what the keeper has seen.
var kept struct {
	sync.Mutex
	events []string
}

// CaddyModule implements [caddy.Module].
func (eventKeeper) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.test_keep", New: func() caddy.Module { return new(eventKeeper) }}
}

// UnmarshalCaddyfile implements [caddyfile.Unmarshaler].
func (*eventKeeper) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

// Handle implements [caddyevents.Handler].
func (*eventKeeper) Handle(_ context.Context, e caddy.Event) error {
	kept.Lock()
	defer kept.Unlock()
	line := e.Name()
	for _, name := range []string{"provider", "from", "to", "served_by", "reason"} {
		if v, ok := e.Data[name]; ok {
			line += fmt.Sprintf(" %s=%v", name, v)
		}
	}
	kept.events = append(kept.events, line)
	return nil
}

var _ caddyevents.Handler = (*eventKeeper)(nil)

// awaitEvents waits for events, in any order: each is delivered on its own time.
func awaitEvents(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		kept.Lock()
		got = append([]string{}, kept.events...)
		kept.Unlock()
		missing := 0
		for _, w := range want {
			if !strings.Contains(strings.Join(got, "\n")+"\n", w+"\n") {
				missing++
			}
		}
		if missing == 0 && len(got) == len(want) {
			return
		}
	}
	t.Errorf("got  %q\nwant %q", got, want)
}

// Breakers and fallbacks are events of Caddy's events app.
func TestEvents(t *testing.T) {
	s := newUnloadedSite(t)
	kept.events = nil
	text := strings.Replace(s.Caddyfile(visitor), "auto_https off", "auto_https off\n events {\n on chatkit.breaker_changed test_keep\n on chatkit.fallback test_keep\n }", 1)
	s.LoadText(text)
	testsite.Set(t, s.Backend, sandbox.Status500)
	for range 40 { // one event for all fallbacks
		s.Session()
	}
	s.force("close", "openai", "1h")
	s.admin("POST", "/chatkit/providers/openai/auto", "")
	awaitEvents(t,
		"chatkit.fallback provider=backend served_by=openai reason=status_5xx",
		"chatkit.breaker_changed provider=backend from=closed to=open reason=status_5xx",
		"chatkit.breaker_changed provider=openai from=closed to=forced_closed reason=a deploy",
		"chatkit.breaker_changed provider=openai from=forced_closed to=closed reason=",
	)
}

// A storm of fallbacks is a handful of lines, each with how many it stands for.
func TestFallbackStorm(t *testing.T) {
	s := newSite(t, strings.ReplaceAll(visitor, "timeout 200ms", "timeout 10s")) // a busy machine is not a failure of openai's
	testsite.Set(t, s.Backend, sandbox.Refuse)
	const n = 10_000
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range n / 16 {
				if got, err := s.Try("POST", "/api/custom/session", ""); err != nil || got.Provider() != "openai" {
					t.Errorf("served by %s, %v", got.Provider(), err)
					return
				}
			}
		})
	}
	start := time.Now()
	all.Wait()
	took := time.Since(start)
	lines := s.Logged("caddy.log", `"msg":"fallback"`)
	t.Logf("%d fallbacks in %s: %d lines", n, took.Round(time.Second/10), len(lines))
	// Two reasons (dial, open), one line of each per 10 s begun.
	if most := 2 * (1 + int(took/(10*time.Second))); len(lines) == 0 || len(lines) > most {
		t.Errorf("%d lines in %s", len(lines), took)
	}
	if !strings.Contains(strings.Join(lines, ""), `"level":"warn"`) {
		t.Errorf("got %s", lines[0])
	}
}

// A backend that refuses what it is sent says so in the log, with what it mostly
// comes from.
func TestRefusalIsLogged(t *testing.T) {
	s := newSite(t, visitor)
	testsite.Set(t, s.Backend, sandbox.Status422)
	for range 20 {
		s.Session()
	}
	lines := s.AwaitLogged("caddy.log", `"provider refused a request"`, `"status":422`, "user_in query")
	if len(lines) != 1 {
		t.Errorf("got %d lines", len(lines))
	}
}

// What an operator has to mend is an error in the log, and not one per request.
func TestMisconfigurationIsLogged(t *testing.T) {
	s := newSite(t, visitor)
	testsite.Set(t, s.Backend, sandbox.Status401)
	for range 4 {
		s.Session()
	}
	lines := s.AwaitLogged("caddy.log", `"provider is misconfigured"`, `"level":"error"`, `"status":401`, "the key is missing, wrong or revoked")
	if len(lines) != 1 {
		t.Errorf("got %d lines", len(lines))
	}
}
