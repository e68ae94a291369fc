package breaker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	want := breaker.Settings{
		Consecutive: 5, Ratio: 0.5, MinCalls: 20, Window: 10 * time.Second,
		Open: 15 * time.Second, MaxOpen: 2 * time.Minute, Probes: 1,
	}
	if got := breaker.Defaults(); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestSettingsCheck(t *testing.T) {
	cases := []struct {
		name   string
		change func(*breaker.Settings)
		field  string // named by the error, "" for none
	}{
		{"defaults", func(*breaker.Settings) {}, ""},
		{"rules off", func(s *breaker.Settings) { s.Consecutive, s.Ratio, s.MinCalls, s.Window = 0, 0, 0, 0 }, ""},
		{"negative count", func(s *breaker.Settings) { s.Consecutive = -1 }, "consecutive"},
		{"negative ratio", func(s *breaker.Settings) { s.Ratio = -0.1 }, "ratio"},
		{"more than all", func(s *breaker.Settings) { s.Ratio = 1.1 }, "ratio"},
		{"all", func(s *breaker.Settings) { s.Ratio = 1 }, ""},
		{"ratio of no calls", func(s *breaker.Settings) { s.MinCalls = 0 }, "ratio"},
		{"no window", func(s *breaker.Settings) { s.Window = 0 }, "ratio"},
		{"window too short to roll", func(s *breaker.Settings) { s.Window = 9 * time.Millisecond }, "ratio"},
		{"shortest window", func(s *breaker.Settings) { s.Window = 10 * time.Millisecond }, ""},
		{"negative slowness", func(s *breaker.Settings) { s.Slow = -1 }, "slow"},
		{"slow calls", func(s *breaker.Settings) { s.Slow, s.SlowRatio = time.Second, 0.5 }, ""},
		{"slow ratio too high", func(s *breaker.Settings) { s.Slow, s.SlowRatio = time.Second, 1.5 }, "slow"},
		{"slowness without a ratio", func(s *breaker.Settings) { s.Slow = time.Second }, "slow"},
		{"slow ratio without a time", func(s *breaker.Settings) { s.SlowRatio = 0.5 }, "slow"},
		{"slow ratio of no calls", func(s *breaker.Settings) {
			s.Ratio, s.MinCalls, s.Slow, s.SlowRatio = 0, 0, time.Second, 0.5
		}, "ratio"},
		{"no open time", func(s *breaker.Settings) { s.Open = 0 }, "open"},
		{"negative open time", func(s *breaker.Settings) { s.Open = -1 }, "open"},
		{"longest below first", func(s *breaker.Settings) { s.MaxOpen = s.Open - 1 }, "open"},
		{"longest is first", func(s *breaker.Settings) { s.MaxOpen = s.Open }, ""},
		{"no probes", func(s *breaker.Settings) { s.Probes = 0 }, "probes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set := breaker.Defaults()
			c.change(&set)
			err := set.Check()
			if (err == nil) != (c.field == "") {
				t.Fatalf("got error %v", err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), c.field+": ") {
				t.Errorf("error names another field than %s: %v", c.field, err)
			}
		})
	}
}
