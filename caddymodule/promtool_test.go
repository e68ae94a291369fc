package caddymodule_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/session"
)

// promtool has nothing to say against our series.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	switch {
	case err != nil && os.Getenv("CHATKIT_REQUIRE_TOOLS") == "1":
		t.Fatal(err)
	case err != nil:
		t.Skip("promtool is not installed: ", err)
	}
	s := newSite(t, visitor)
	set(t, s.Backend, sandbox.Status500)
	for range 7 { // until the breaker is open
		s.session()
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(s.get(s.Admin + "/metrics"))
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

var freshNames atomic.Int64

// Every series there can ever be is there from the start, at 0.
func TestSeriesFromTheStart(t *testing.T) {
	n := freshNames.Add(1) // the counters are the process's: earlier tests have used other names
	one, two := fmt.Sprintf("one-%d", n), fmt.Sprintf("two-%d", n)
	block := strings.Replace(strings.Replace(visitor, "retries 0", "name "+one+"\n retries 0", 1), "workflow", "name "+two+"\n workflow", 1)
	s := newSite(t, block)
	var zero, there []string
	for _, name := range []string{one, two} {
		for _, r := range append(session.Reasons(), "ok") {
			zero = append(zero, fmt.Sprintf(`attempts_total{provider=%q,result=%q}`, name, r))
		}
		for _, c := range breaker.Changes() {
			zero = append(zero, fmt.Sprintf(`breaker_transitions_total{from=%q,provider=%q,to=%q}`, c.From, name, c.To))
		}
		for _, state := range []string{"open", "half_open", "forced_open", "forced_closed"} {
			zero = append(zero, fmt.Sprintf(`breaker_state{provider=%q,state=%q}`, name, state))
		}
		zero = append(zero, fmt.Sprintf(`retries_total{provider=%q}`, name),
			fmt.Sprintf(`breaker_open_until_timestamp_seconds{provider=%q}`, name),
			fmt.Sprintf(`attempt_duration_seconds_count{provider=%q}`, name))
		for _, route := range []string{"session", "refresh"} {
			zero = append(zero, fmt.Sprintf(`sessions_total{outcome="rejected",route=%q,served_by=%q}`, route, name),
				fmt.Sprintf(`session_duration_seconds_count{route=%q,served_by=%q}`, route, name))
			for _, outcome := range []string{"refused", "failed", "canceled"} {
				there = append(there, fmt.Sprintf(`sessions_total{outcome=%q,route=%q,served_by="none"}`, outcome, route))
			}
		}
	}
	for _, route := range []string{"session", "refresh"} {
		zero = append(zero, fmt.Sprintf(`sessions_total{outcome="ok",route=%q,served_by=%q}`, route, one),
			fmt.Sprintf(`sessions_total{outcome="fallback",route=%q,served_by=%q}`, route, two))
	}
	// /api/chatkit/session asks openai alone, and first.
	zero = append(zero, fmt.Sprintf(`sessions_total{outcome="ok",route="session",served_by=%q}`, two))
	for _, r := range []string{
		"dial", "dns", "tls", "timeout", "reset", "status_5xx", "status_408", "status_425", "status_429", "status_4xx",
		"misconfigured", "invalid_response", "open", "forced_open", "cooldown",
	} {
		zero = append(zero, fmt.Sprintf(`fallbacks_total{from=%q,reason=%q,to=%q}`, one, r, two))
	}
	there = append(there, "overhead_seconds_count", fmt.Sprintf(`config_info{module="backend",provider=%q}`, one),
		fmt.Sprintf(`breaker_state{provider=%q,state="closed"}`, two))
	series := make(map[string]string)
	for line := range strings.Lines(s.get(s.Admin + "/metrics")) {
		if i := strings.LastIndexByte(line, ' '); i > 0 {
			series[strings.TrimPrefix(line[:i], "caddy_chatkit_")] = strings.TrimSpace(line[i:])
		}
	}
	for _, name := range zero {
		if series[name] != "0" {
			t.Errorf("%s is %q, want 0", name, series[name])
		}
	}
	for _, name := range there {
		if series[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// Two sites with a provider of one name: with the same settings they share its
// breaker, with others each has its own, which metrics tell apart.
func TestTwoSites(t *testing.T) {
	for _, tt := range []struct {
		name, other string
		shared      bool
	}{
		{"same settings", withBreaker("consecutive 2\n open 1m"), true},
		{"other settings", withBreaker("consecutive 3\n open 1m"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			first := s.caddyfile(withBreaker("consecutive 2\n open 1m"))
			one, two := s.URL, "http://"+freeAddr(t)
			second := first[strings.Index(first, one):]
			second = strings.Replace(second, one, two, 1)
			second = strings.Replace(second, withBreaker("consecutive 2\n open 1m"), tt.other, 1)
			if err := s.loadText(first + second); err != nil {
				t.Fatal(err)
			}
			set(t, s.Backend, sandbox.Status500)
			s.session()
			s.session()
			reason, breakers := "status_5xx", 2
			if tt.shared {
				reason, breakers = "open", 1
			}
			if a := s.session(); a.Reason() != "open" {
				t.Errorf("the first site got reason %q, want open", a.Reason())
			}
			s.URL = two
			if a := s.session(); a.Reason() != reason {
				t.Errorf("the second site got reason %q, want %s", a.Reason(), reason)
			}
			page, open := s.get(s.Admin+"/metrics"), 0
			for line := range strings.Lines(page) {
				if strings.HasPrefix(line, `caddy_chatkit_breaker_state{provider="backend`) && strings.HasSuffix(line, "state=\"open\"} 1\n") {
					open++
				}
			}
			if got := strings.Count(page, `caddy_chatkit_breaker_open_until_timestamp_seconds{provider="backend`); got != breakers || open != 1 {
				t.Errorf("%d breakers, %d of them open; want %d, one of them open", got, open, breakers)
			}
			if got := s.metric(`attempts_total{provider="backend",result="open"}`); got == 0 {
				t.Error("no attempt is counted as skipped")
			}
		})
	}
}
