package caddymodule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// fallback_on decides where a refusal goes; a refused caller is no failure of
// the provider all the same.
func TestFallbackOn(t *testing.T) {
	tests := []struct {
		list   string
		fault  sandbox.Fault
		reason string // "" for no fallback
		open   bool   // the breaker, after some
	}{
		{"4xx 5xx", sandbox.Status403, "status_4xx", false},
		{"4xx 5xx", sandbox.Status422, "status_4xx", false},
		{"4xx 5xx", sandbox.Status401, "misconfigured", true},
		{"4xx 5xx", sandbox.Status429Bare, "status_429", true},
		{"4xx 5xx", sandbox.Status503, "status_5xx", true},
		{"4xx 5xx", sandbox.Reset, "reset", true},
		{"403", sandbox.Status403, "status_4xx", false},
		{"403", sandbox.Status400, "", false},
		{"403", sandbox.Status500, "", true},
		{"5xx", sandbox.Status404, "", true},
		{"5xx", sandbox.HTML, "invalid_response", true},
	}
	for _, tt := range tests {
		t.Run(tt.list+" "+string(tt.fault), func(t *testing.T) {
			s := newSite(t, strings.Replace(withBreaker("consecutive 3\n open 1m"), "retries 0", "retries 0\n fallback_on "+tt.list, 1))
			testsite.Set(t, s.Backend, tt.fault)
			for range 4 {
				closed := s.Metric(backendClosed) == 1
				a := s.Session()
				if got := a.Reason(); tt.reason != "" && (a.Status != 200 || got != tt.reason && got != "open") {
					t.Errorf("got %d because %q, want 200 because %s: %s", a.Status, got, tt.reason, a.Raw)
				}
				if tt.reason == "" && closed && (a.Status < 400 || s.OpenAI.Calls() != 0) {
					t.Errorf("got %d from %q, want no fallback: %s", a.Status, a.Provider(), a.Raw)
				}
			}
			if got := s.Metric(backendOpen) == 1; got != tt.open {
				t.Errorf("breaker open: %t, want %t", got, tt.open)
			}
		})
	}
}

// A provider that hangs leaves the others their part of the deadline.
func TestDeadlineIsShared(t *testing.T) {
	const deadline = "\n anonymous\n deadline 1s"
	for _, tt := range []struct {
		name, options   string
		backend, openai sandbox.Fault
		status          int
		within          time.Duration
	}{
		{"the first hangs", "", sandbox.Hang, sandbox.None, 200, 500 * time.Millisecond},
		{"both hang", "", sandbox.Hang, sandbox.Hang, 504, time.Second},
		{"both hang, short timeouts", "timeout 100ms", sandbox.Hang, sandbox.Hang, 504, 200 * time.Millisecond},
		{"the first is slow, the second hangs", "timeout 2s", sandbox.Slow, sandbox.Hang, 504, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, deadline+quick(tt.options))
			testsite.Set(t, s.Backend, tt.backend)
			testsite.Set(t, s.OpenAI, tt.openai)
			a := s.Session()
			if a.Status != tt.status || a.Took > tt.within+slack {
				t.Errorf("got %d after %s, want %d within %s: %s", a.Status, a.Took, tt.status, tt.within+slack, a.Raw)
			}
		})
	}
}

// Failures that surely did nothing are tried again, and counted.
func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		fault sandbox.Fault
		calls int
	}{
		{sandbox.Status503, 3}, {sandbox.Reset, 3}, {sandbox.Status503Retry, 1}, {sandbox.Status500, 1},
		{sandbox.Cut, 1}, {sandbox.HTML, 1}, {sandbox.Status429Bare, 1}, {sandbox.Status403, 1},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			s := newSite(t, strings.Replace(visitor, "retries 0", "retries 2 1ms", 1))
			testsite.Set(t, s.Backend, tt.fault)
			const retries = `retries_total{provider="backend"}`
			before := s.Metric(retries)
			s.Session()
			if got, counted := s.Backend.Calls(), s.Metric(retries)-before; got != tt.calls || counted != float64(tt.calls-1) {
				t.Errorf("backend was called %d times and %v retries counted, want %d and %d", got, counted, tt.calls, tt.calls-1)
			}
		})
	}
	t.Run("recovers", func(t *testing.T) {
		s := newSite(t, strings.Replace(visitor, "retries 0", "retries 1 1ms", 1))
		testsite.Set(t, s.Backend, sandbox.Status503)
		s.Backend.OnRequest(func(*sandbox.Recorded) { _ = s.Backend.Set(sandbox.None) })
		if a := s.Session(); a.Provider() != "backend" || a.Reason() != "" {
			t.Errorf("got %d from %q because %q, want backend", a.Status, a.Provider(), a.Reason())
		}
	})
}
