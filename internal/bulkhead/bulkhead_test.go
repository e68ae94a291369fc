package bulkhead_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/bulkhead"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

var (
	alice   = session.Caller{User: "alice", Address: "192.0.2.1"}
	mobile  = session.Caller{User: "alice", Address: "192.0.2.7"}
	bob     = session.Caller{User: "bob", Address: "192.0.2.1"}
	visitor = session.Caller{Address: "192.0.2.1"}
	forger  = session.Caller{User: "192.0.2.1", Address: "192.0.2.9"}
)

func TestPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		places int
		taken  []session.Caller
		who    session.Caller
		want   bool
	}{
		"empty":                                {4, nil, alice, true},
		"full":                                 {2, []session.Caller{alice, bob}, visitor, false},
		"the only place":                       {1, nil, alice, true},
		"half of them are one caller's":        {4, []session.Caller{alice, alice}, alice, false},
		"from another address too":             {4, []session.Caller{alice, alice}, mobile, false},
		"the other half is left":               {4, []session.Caller{alice, alice}, bob, true},
		"for a visitor at the address too":     {4, []session.Caller{alice, alice}, visitor, true},
		"an odd number rounds up":              {3, []session.Caller{alice}, alice, true},
		"a user who is called like an address": {4, []session.Caller{visitor, visitor}, forger, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := bulkhead.New(c.places)
			for _, who := range c.taken {
				if !b.Take(who) {
					t.Fatalf("no place for %v", who)
				}
			}
			if b.Room(c.who) != c.want || b.Take(c.who) != c.want {
				t.Errorf("there is room: %t", !c.want)
			}
			if c.want {
				b.Leave(c.who)
			}
			for _, who := range c.taken {
				b.Leave(who)
			}
			if n := b.InFlight(); n != 0 || !b.Room(c.who) || b.Limit() != c.places {
				t.Errorf("%d places of %d are still taken", n, b.Limit())
			}
		})
	}
}

// What cannot be stopped any more counts, also beyond the bound.
func TestEnter(t *testing.T) {
	b := bulkhead.New(1)
	b.Enter(alice)
	b.Enter(bob)
	if b.InFlight() != 2 || b.Room(visitor) {
		t.Errorf("%d are under way", b.InFlight())
	}
	b.Leave(alice)
	if b.Room(visitor) {
		t.Error("there is room while one is under way")
	}
	b.Leave(bob)
	if !b.Room(visitor) || b.InFlight() != 0 {
		t.Error("there is no room when all have left")
	}
}

func TestPlacesOfMany(t *testing.T) {
	const places = 8
	b := bulkhead.New(places)
	var most atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		who := []session.Caller{alice, bob, visitor}[i%3]
		all.Go(func() {
			for range 500 {
				if b.Take(who) {
					most.Store(max(most.Load(), int64(b.InFlight())))
					b.Leave(who)
				}
			}
		})
	}
	all.Wait()
	if n := most.Load(); n > places || n == 0 || b.InFlight() != 0 {
		t.Errorf("%d at most, %d left", n, b.InFlight())
	}
}

func BenchmarkTake(b *testing.B) {
	h := bulkhead.New(1000)
	b.ReportAllocs()
	for b.Loop() {
		h.Take(alice)
		h.Leave(alice)
	}
}
