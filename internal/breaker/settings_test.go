package breaker_test

import (
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
	type row struct {
		change func(*breaker.Settings)
		want   string // the error, "" for none
	}
	each(t, map[string]row{
		"defaults":                  {func(*breaker.Settings) {}, ""},
		"rules off":                 {func(s *breaker.Settings) { s.Consecutive, s.Ratio, s.MinCalls, s.Window = 0, 0, 0, 0 }, ""},
		"negative count":            {func(s *breaker.Settings) { s.Consecutive = -1 }, "consecutive: -1 is negative"},
		"negative ratio":            {func(s *breaker.Settings) { s.Ratio = -0.1 }, "ratio: -10% is not between 0% and 100%"},
		"more than all":             {func(s *breaker.Settings) { s.Ratio = 1.1 }, "ratio: 110% is not between 0% and 100%"},
		"all":                       {func(s *breaker.Settings) { s.Ratio = 1 }, ""},
		"ratio of no calls":         {func(s *breaker.Settings) { s.MinCalls = 0 }, "ratio: 0 calls are too few (minimum 1)"},
		"no window":                 {func(s *breaker.Settings) { s.Window = 0 }, "ratio: window 0s is too short (minimum 10ms)"},
		"window too short to roll":  {func(s *breaker.Settings) { s.Window = 9 * time.Millisecond }, "ratio: window 9ms is too short (minimum 10ms)"},
		"shortest window":           {func(s *breaker.Settings) { s.Window = 10 * time.Millisecond }, ""},
		"negative slowness":         {func(s *breaker.Settings) { s.Slow = -1 }, "slow: -1ns is negative"},
		"slow calls":                {func(s *breaker.Settings) { s.Slow, s.SlowRatio = time.Second, 0.5 }, ""},
		"slow ratio too high":       {func(s *breaker.Settings) { s.Slow, s.SlowRatio = time.Second, 1.5 }, "slow: 150% is not between 0% and 100%"},
		"slowness without a ratio":  {func(s *breaker.Settings) { s.Slow = time.Second }, "slow: got 1s and 0% (want both above 0)"},
		"slow ratio without a time": {func(s *breaker.Settings) { s.SlowRatio = 0.5 }, "slow: got 0s and 50% (want both above 0)"},
		"slow ratio of no calls": {func(s *breaker.Settings) {
			s.Ratio, s.MinCalls, s.Slow, s.SlowRatio = 0, 0, time.Second, 0.5
		}, "ratio: 0 calls are too few (minimum 1)"},
		"no open time":        {func(s *breaker.Settings) { s.Open = 0 }, "open: invalid duration 0s (want above 0)"},
		"negative open time":  {func(s *breaker.Settings) { s.Open = -1 }, "open: invalid duration -1ns (want above 0)"},
		"longest below first": {func(s *breaker.Settings) { s.MaxOpen = s.Open - 1 }, "open: maximum 14.999999999s is shorter than the first open time, 15s"},
		"longest is first":    {func(s *breaker.Settings) { s.MaxOpen = s.Open }, ""},
		"no probes":           {func(s *breaker.Settings) { s.Probes = 0 }, "probes: 0 is too low (minimum 1)"},
	}, func(t *testing.T, c row) {
		set := breaker.Defaults()
		c.change(&set)
		var got string
		if err := set.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	})
}
