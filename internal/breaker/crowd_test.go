package breaker

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// seen is one caller at one time, for a crowd that remembers everything.
type seen struct {
	who session.Caller
	at  time.Time
}

// Whatever callers were added, a crowd knows the same as one that remembers all.
func TestCrowdForgetsNothingThatMatters(t *testing.T) {
	random := func() session.Caller {
		return session.Caller{
			User:    []string{"", "", "u1", "u2", "u3"}[rand.IntN(5)],
			Address: []string{"", "a1", "a2", "a3"}[rand.IntN(4)],
		}
	}
	for range 500 {
		var c crowd
		n := rand.IntN(12)
		all := make([]seen, 0, n)
		var pair time.Time
		now := time.Unix(0, 0)
		for range n {
			now = now.Add(time.Duration(rand.IntN(3)) * time.Second)
			who := random()
			if t := lastOther(all, who); t.After(pair) {
				pair = t
			}
			c.add(who, now)
			all = append(all, seen{who, now})
			if c.pair != pair {
				t.Fatalf("%v: pair at %s, want %s", all, c.pair, pair)
			}
		}
		for range 20 {
			who := random()
			if got, want := c.others(who), lastOther(all, who); !got.Equal(want) {
				t.Fatalf("%v: others than %v at %s, want %s", all, who, got, want)
			}
		}
	}
}

func lastOther(all []seen, who session.Caller) (last time.Time) {
	for _, s := range all {
		if !s.who.Same(who) && s.at.After(last) {
			last = s.at
		}
	}
	return last
}
