package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestFaults(t *testing.T) {
	all := sandbox.Faults()
	if all[0] != sandbox.None || len(all) != len(looks)+1 { // Hang is checked elsewhere
		t.Errorf("%d faults, %d checks, first is %s", len(all), len(looks), all[0])
	}
	all[0] = "changed"
	if again := sandbox.Faults(); again[0] != sandbox.None {
		t.Error("the list can be changed from outside")
	}
	sorted := slices.Sorted(slices.Values(all))
	if len(slices.Compact(sorted)) != len(all) {
		t.Error("a fault is listed twice")
	}
}

func TestParseFault(t *testing.T) {
	for _, f := range sandbox.Faults() {
		if got, err := sandbox.ParseFault(string(f)); err != nil || got != f {
			t.Errorf("%s parsed to %q, %v", f, got, err)
		}
	}
	for _, s := range []string{"", "NONE", "heal", " none", "599", "\x00"} {
		_, err := sandbox.ParseFault(s)
		if err == nil || !strings.Contains(err.Error(), "known: none, refuse, ") {
			t.Errorf("%q: %v", s, err)
		}
	}
}
