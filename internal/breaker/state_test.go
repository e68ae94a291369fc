package breaker_test

import (
	"slices"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// The words are part of the product: a metric and the logs show them.
func TestStatesAreTheDocumentedWords(t *testing.T) {
	want := []breaker.State{"closed", "open", "half_open", "ramping", "forced_open", "forced_closed"}
	if got := breaker.States(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// What a breaker does by itself, and every pair of states with an operator's in it.
func TestChangesAreAllThereCanBe(t *testing.T) {
	want := []breaker.Change{opened, halfway, reopened, closed, ramps, rampFails, rampEnds}
	for i := range want {
		want[i].Reason = ""
	}
	forced := []breaker.State{breaker.ForcedOpen, breaker.ForcedClosed}
	for _, from := range breaker.States() {
		for _, to := range breaker.States() {
			if from != to && (slices.Contains(forced, from) || slices.Contains(forced, to)) {
				want = append(want, breaker.Change{From: from, To: to})
			}
		}
	}
	got := breaker.Changes()
	for _, c := range want {
		if !slices.Contains(got, c) {
			t.Errorf("%v is missing", c)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}
