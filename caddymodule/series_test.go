package caddymodule_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

var freshNames atomic.Int64

// Every series there can ever be is there from the start, at 0.
func TestSeriesFromTheStart(t *testing.T) {
	n := freshNames.Add(1) // the counters are the process's: earlier tests have used other names
	one, two := fmt.Sprintf("one-%d", n), fmt.Sprintf("two-%d", n)
	s := newSite(t, strings.NewReplacer(" {env.TEST_BACKEND_URL} {", " {env.TEST_BACKEND_URL} {\n name "+one,
		"workflow wf_test", "workflow wf_test\n name "+two).Replace(visitor))
	series := make(map[string]string)
	for line := range strings.Lines(s.Get(s.Admin + "/metrics")) {
		if i := strings.LastIndexByte(line, ' '); i > 0 {
			series[strings.TrimPrefix(line[:i], "caddy_chatkit_")] = strings.TrimSpace(line[i:])
		}
	}
	zero := append(seriesOfProvider(one), seriesOfProvider(two)...)
	for _, name := range append(zero, seriesOfRoutes(one, two)...) {
		if series[name] != "0" {
			t.Errorf("%s is %q, want 0", name, series[name])
		}
	}
	for _, name := range []string{
		"overhead_seconds_count",
		fmt.Sprintf(`config_info{module="backend",provider=%q}`, one), fmt.Sprintf(`config_info{module="openai",provider=%q}`, two),
		fmt.Sprintf(`breaker_state{provider=%q,state="closed"}`, one), fmt.Sprintf(`breaker_state{provider=%q,state="closed"}`, two),
		`sessions_total{outcome="refused",route="session",served_by="none"}`, `sessions_total{outcome="refused",route="refresh",served_by="none"}`,
		`sessions_total{outcome="failed",route="session",served_by="none"}`, `sessions_total{outcome="failed",route="refresh",served_by="none"}`,
		`sessions_total{outcome="canceled",route="session",served_by="none"}`, `sessions_total{outcome="canceled",route="refresh",served_by="none"}`,
	} {
		if series[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// seriesOfProvider are the series of a provider that are 0 at first.
func seriesOfProvider(name string) (names []string) {
	for _, r := range append(session.Reasons(), "ok") {
		names = append(names, fmt.Sprintf(`attempts_total{provider=%q,result=%q}`, name, r))
	}
	for _, c := range breaker.Changes() {
		names = append(names, fmt.Sprintf(`breaker_transitions_total{from=%q,provider=%q,to=%q}`, c.From, name, c.To))
	}
	for _, state := range []string{"open", "half_open", "forced_open", "forced_closed"} {
		names = append(names, fmt.Sprintf(`breaker_state{provider=%q,state=%q}`, name, state))
	}
	return append(names, fmt.Sprintf(`retries_total{provider=%q}`, name),
		fmt.Sprintf(`breaker_open_until_timestamp_seconds{provider=%q}`, name),
		fmt.Sprintf(`attempt_duration_seconds_count{provider=%q}`, name))
}

// seriesOfRoutes are those of the routes of a backend and an openai provider.
func seriesOfRoutes(one, two string) (names []string) {
	for _, route := range []string{"session", "refresh"} {
		names = append(names, fmt.Sprintf(`sessions_total{outcome="ok",route=%q,served_by=%q}`, route, one),
			fmt.Sprintf(`sessions_total{outcome="fallback",route=%q,served_by=%q}`, route, two))
		for _, name := range []string{one, two} {
			names = append(names, fmt.Sprintf(`sessions_total{outcome="rejected",route=%q,served_by=%q}`, route, name),
				fmt.Sprintf(`session_duration_seconds_count{route=%q,served_by=%q}`, route, name))
		}
	}
	// A refresh can ask any provider first.
	names = append(names, fmt.Sprintf(`sessions_total{outcome="ok",route="session",served_by=%q}`, two))
	for _, r := range []string{
		"dial", "dns", "tls", "timeout", "reset", "status_5xx", "status_408", "status_425", "status_429", "status_4xx",
		"misconfigured", "invalid_response", "open", "forced_open", "cooldown",
	} {
		names = append(names, fmt.Sprintf(`fallbacks_total{from=%q,reason=%q,to=%q}`, one, r, two))
	}
	return names
}

// Two sites with a provider of one name share its breaker.
func TestTwoSites(t *testing.T) {
	s := newUnloadedSite(t)
	first := s.Caddyfile(withBreaker("consecutive 2\n open 1m"))
	one, two := s.URL, "http://"+testsite.FreeAddr(t)
	second := strings.Replace(first[strings.Index(first, one):], one, two, 1)
	s.LoadText(first + second)
	testsite.Set(t, s.Backend, sandbox.Status500)
	s.Session()
	s.Session()
	for _, url := range []string{one, two} {
		s.URL = url
		if a := s.Session(); a.Reason() != "open" {
			t.Errorf("%s got reason %q, want open", url, a.Reason())
		}
	}
	page := s.Get(s.Admin + "/metrics")
	if n := strings.Count(page, `caddy_chatkit_breaker_open_until_timestamp_seconds{provider="backend`); n != 1 {
		t.Errorf("%d breakers of the name", n)
	}
	if open, skipped := s.Metric(`breaker_state{provider="backend",state="open"}`), s.Metric(`attempts_total{provider="backend",result="open"}`); open != 1 || skipped == 0 {
		t.Errorf("open is %v, %v attempts were skipped", open, skipped)
	}
}
