package session_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The words are part of the product: metrics, logs and a header show them.
func TestReasonsAreTheDocumentedWords(t *testing.T) {
	want := []session.Reason{
		"dial", "dns", "tls", "timeout", "abandoned", "reset", "status_5xx", "status_408", "status_425", "status_429", "status_4xx",
		"misconfigured", "rejected", "invalid_response", "open", "forced_open", "cooldown", "saturated", "ramp", "drill",
		"rate_limited", "hedge", "first_token", "budget", "canceled",
	}
	got := session.Reasons()
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	word := regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)*$`)
	for _, r := range got {
		if !word.MatchString(string(r)) {
			t.Errorf("%q is no label value", r)
		}
	}
}

func TestReasonKinds(t *testing.T) {
	skipped := []session.Reason{session.Open, session.ForcedOpen, session.Cooldown, session.Saturated, session.Ramp, session.Drill, session.RateLimited}
	ends := []session.Reason{session.Rejected, session.Budget, session.Canceled, session.Abandoned}
	unreached := []session.Reason{session.Dial, session.DNS, session.TLS}
	for _, r := range append(session.Reasons(), session.OK) {
		if got, want := r.Skipped(), slices.Contains(skipped, r); got != want {
			t.Errorf("%q: skipped is %t", r, got)
		}
		if got, want := r.MovesOn(), !slices.Contains(ends, r); got != want {
			t.Errorf("%q: moves on is %t", r, got)
		}
		if got, want := r.NoConnection(), slices.Contains(unreached, r); got != want {
			t.Errorf("%q: no connection is %t", r, got)
		}
	}
}
