package breaker_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const (
	ok       = session.Success
	fail     = session.Failed
	excluded = session.Excluded
)

// Given a closed breaker, when exactly N calls in a row have failed, then it is open.
func TestClosedOpensAfterExactlyN(t *testing.T) {
	for _, n := range []int{1, 2, 5, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := settings()
				set.Consecutive = n
				b := newRig(t, set)
				b.call(times(n-1, fail)...)
				b.is(breaker.Closed)
				b.call(fail)
				b.is(breaker.Open)
				b.told(opened)
				b.refused(session.Open)
			})
		})
	}
}

func TestClosedCountsInARow(t *testing.T) {
	type row struct {
		effects []session.Effect
		want    breaker.State
	}
	each(t, map[string]row{
		"a success in between resets": {slices.Concat(times(4, fail), times(1, ok), times(4, fail)), breaker.Closed},
		"and counting starts anew":    {slices.Concat(times(4, fail), times(1, ok), times(5, fail)), breaker.Open},
		"excluded ones do not reset":  {slices.Concat(times(4, fail), times(9, excluded), times(1, fail)), breaker.Open},
		"excluded only":               {times(100, excluded), breaker.Closed},
		"every other one":             {slices.Repeat([]session.Effect{fail, ok}, 50), breaker.Closed},
	}, func(t *testing.T, c row) {
		b := newRig(t, settings())
		b.call(c.effects...)
		b.is(c.want)
	})
}

// A window that rolls must not make the breaker forget a provider that fails
// slowly: the rule of consecutive failures does not depend on time.
func TestClosedConsecutiveRuleOutlivesTheWindow(t *testing.T) {
	for _, apart := range []time.Duration{150 * time.Millisecond, 700 * time.Millisecond, time.Minute, 24 * time.Hour} {
		t.Run(apart.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := breaker.Defaults()
				set.Window = time.Second
				b := newRig(t, set)
				for range 4 {
					b.call(fail)
					time.Sleep(apart)
				}
				b.is(breaker.Closed)
				b.call(fail)
				b.is(breaker.Open)
			})
		})
	}
}

// Calls that overlap count in the order in which they end.
func TestClosedCountsByTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, settings())
		started := b.permits(6)
		for _, p := range started[1:5] {
			p.end(fail)
		}
		started[0].end(ok)
		started[5].end(fail)
		b.is(breaker.Closed)
	})
}
