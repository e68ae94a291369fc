package breaker_test

import (
	"slices"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// The words are part of the product: a metric and the logs show them.
func TestStatesAreTheDocumentedWords(t *testing.T) {
	want := []breaker.State{"closed", "open", "half_open", "forced_open", "forced_closed"}
	if got := breaker.States(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestChangesAreThoseBetweenItsOwnStates(t *testing.T) {
	want := []breaker.Change{opened, halfway, reopened, closed}
	if got := breaker.Changes(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
