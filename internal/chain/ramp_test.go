package chain_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/bulkhead"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// refusing makes the breaker refuse for these reasons, one after the other.
func (f *fake) refusing(reasons ...session.Reason) { f.Refusals = reasons }

// A ramp refuses only who gets a session elsewhere.
func TestRunInARamp(t *testing.T) {
	type row struct {
		setUp   func(r *rig)
		by      string
		reasons []session.Reason
		asked   []int // how often each provider was
	}
	chaintest.Each(t, map[string]row{
		"the next one serves": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
			r.add("b", gives("s2"))
		}, "b", []session.Reason{session.Ramp}, []int{0, 1}},
		"alone": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
		}, "a", nil, []int{1}},
		"the next one may not be asked": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
			r.add("b", gives("s2")).refusing(session.Open)
		}, "a", nil, []int{1, 0}},
		"the next one is full": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
			b := r.add("b", gives("s2"))
			full := bulkhead.New(1)
			full.Take(session.Caller{})
			b.Places = full
		}, "a", nil, []int{1, 0}},
		"the next one fails": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
			r.add("b", answers(500))
		}, "a", nil, []int{1, 1}},
		"the one before it has failed too": {func(r *rig) {
			r.add("a", answers(500))
			r.add("b", gives("s2")).refusing(session.Ramp)
			r.add("c", answers(502))
		}, "b", []session.Reason{session.Status5xx}, []int{1, 1, 1}},
		"all fail": {func(r *rig) {
			r.add("a", answers(503)).refusing(session.Ramp)
			r.add("b", answers(500))
		}, "", []session.Reason{session.Status5xx, session.Status5xx}, []int{1, 1}},
		"it opens meanwhile": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp, session.Open)
			r.add("b", answers(500))
		}, "", []session.Reason{session.Open, session.Status5xx}, []int{0, 1}},
		"the next one refuses the caller": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
			r.add("b", answers(403))
		}, "", []session.Reason{session.Ramp, session.Rejected}, []int{0, 1}},
		"it refuses the caller itself": {func(r *rig) {
			r.add("a", answers(403)).refusing(session.Ramp)
			r.add("b", answers(500))
		}, "", []session.Reason{session.Status5xx, session.Rejected}, []int{1, 1}},
		"two ramps": {func(r *rig) {
			r.add("a", gives("s1")).refusing(session.Ramp)
			r.add("b", gives("s2")).refusing(session.Ramp)
		}, "b", []session.Reason{session.Ramp}, []int{0, 1}},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		c.setUp(r)
		served(t, r.run(t.Context()), c.by, c.reasons...)
		for i, n := range c.asked {
			if got := len(r.Targets[i].Provider.(*fake).limits); got != n {
				t.Errorf("%s was asked %d times, want %d", r.Targets[i].Name, got, n)
			}
		}
	})
}

// With the real breaker: the share of sessions grows, and nobody fails.
func TestRunWithARamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", answers(500), answers(500), answers(500), answers(500), answers(500), gives("s1"))
		b := r.add("b", gives("s2"))
		set := breaker.Defaults()
		set.Ramp = 10 * time.Second
		own := breaker.New(set, nil, nil)
		a.Target.Breaker = own
		for range 5 {
			served(t, r.run(t.Context()), "b", session.Status5xx)
		}
		time.Sleep(own.RetryIn() + 1)
		served(t, r.run(t.Context()), "a") // the probe
		for range 100 {
			if res := r.run(t.Context()); res.Served == nil {
				t.Fatalf("nobody served: %+v", res.Steps)
			}
		}
		if first, second := len(a.limits)-6, len(b.limits)-5; first != 10 || second != 90 {
			t.Errorf("%d sessions from the first, %d from the second", first, second)
		}
		time.Sleep(10 * time.Second)
		served(t, r.run(t.Context()), "a")
	})
}

// A provider that hangs holds as many requests as it has places, and every ending
// frees one.
func TestRunWithPlaces(t *testing.T) {
	type row struct {
		does    answer
		session bool
	}
	chaintest.Each(t, map[string]row{
		"success": {gives("s1"), true}, "failure": {answers(500), false}, "refusal": {answers(403), false},
		"timeout": {hangs, false}, "panic": {nil, false},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a := r.add("a", c.does)
		places := bulkhead.New(1)
		a.Places = places
		for range 3 {
			res := r.run(t.Context())
			if (res.Served != nil) != c.session || places.InFlight() != 0 {
				t.Errorf("served by %v, %d places are taken", res.Served, places.InFlight())
			}
		}
		places.Take(session.Caller{})
		res := r.run(t.Context())
		served(t, res, "", session.Saturated)
		if a.Permits != 4 || a.Effects[3] != excluded {
			t.Errorf("%d permits, %v", a.Permits, a.Effects)
		}
	})
}

// A place waits for the body, if that is yet to come.
func TestPlaceOfABody(t *testing.T) {
	places := bulkhead.New(1)
	target := chain.Target{Name: "a", Breaker: breaker.New(breaker.Defaults(), nil, nil), Observer: chaintest.Silent{}, Places: places}
	var seen []int
	a := chain.Attempt{Client: t.Context(), Context: t.Context(), Carried: true, Uploads: true}
	a.Call = func() error {
		seen = append(seen, places.InFlight())
		a.Uploaded()
		seen = append(seen, places.InFlight())
		a.Uploaded() // a transport may read the end twice
		seen = append(seen, places.InFlight())
		return nil
	}
	target.Try(&a)
	a.Uploaded() // or after its answer
	if seen[0] != 0 || seen[1] != 1 || seen[2] != 1 || places.InFlight() != 0 {
		t.Errorf("%v places were taken, %d are still", seen, places.InFlight())
	}
	places.Enter(session.Caller{User: "somebody else"})
	if v := target.Try(&chain.Attempt{Client: t.Context(), Context: t.Context(), Carried: true, Uploads: true}); v.Reason != session.Saturated {
		t.Errorf("got %q", v.Reason)
	}
}
