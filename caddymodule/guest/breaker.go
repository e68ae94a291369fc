package guest

import (
	"cmp"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// BreakerConfig configures the circuit breaker of a provider. Its state belongs to
// the name and the settings of the provider and outlives reloads.
//
// Failures that a request may cause, and slow calls, open it only if two callers are
// among them, or if one caller is all there is: otherwise anybody could take the
// provider away from everybody.
type BreakerConfig struct {
	// How many failures in a row open the breaker, however long apart. Default: 5.
	// Negative: the rule is off.
	Consecutive int `json:"consecutive,omitempty"`

	// Percentage of failures that opens the breaker, once there are ratio_calls
	// calls in ratio_window. Default: 50. Negative: the rule is off.
	Ratio float64 `json:"ratio,omitempty"`

	// How many calls the window must hold before a ratio counts. Default: 20.
	RatioCalls int `json:"ratio_calls,omitempty"`

	// How long a call counts towards the ratios. Default: 10s.
	RatioWindow caddy.Duration `json:"ratio_window,omitempty"`

	// A session request that takes this long is slow. Default: off.
	Slow caddy.Duration `json:"slow,omitempty"`

	// Percentage of slow calls that opens the breaker, in the same window. Needs
	// slow.
	SlowRatio float64 `json:"slow_ratio,omitempty"`

	// How long the breaker stays open the first time, plus or minus 10 %. Each
	// failed probe doubles it. Default: 15s.
	Open caddy.Duration `json:"open,omitempty"`

	// The longest open time. Default: 2m, or open where that is longer.
	MaxOpen caddy.Duration `json:"max_open,omitempty"`

	// How many calls a half-open breaker lets through; all must succeed to
	// close it. Default: 1.
	Probes int `json:"probes,omitempty"`
}

// Settings returns the breaker's settings with the defaults filled in. A negative
// rule is off; the check refuses a negative time or number.
func (b *BreakerConfig) Settings() breaker.Settings {
	s := breaker.Defaults()
	if b == nil {
		return s
	}
	s.Consecutive = max(cmp.Or(b.Consecutive, s.Consecutive), 0)
	s.Ratio = max(cmp.Or(b.Ratio/100, s.Ratio), 0)
	s.MinCalls = cmp.Or(b.RatioCalls, s.MinCalls)
	s.Window = cmp.Or(time.Duration(b.RatioWindow), s.Window)
	s.Slow, s.SlowRatio = time.Duration(b.Slow), b.SlowRatio/100
	s.Open = cmp.Or(time.Duration(b.Open), s.Open)
	s.MaxOpen = cmp.Or(time.Duration(b.MaxOpen), max(s.MaxOpen, s.Open))
	s.Probes = cmp.Or(b.Probes, s.Probes)
	return s
}
