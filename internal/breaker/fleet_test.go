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

// others are the other instances of a fleet, as a test has them.
type others struct {
	told         []breaker.Fact
	leased       bool // this instance may probe
	asked, freed int
}

func (o *others) Tell(f breaker.Fact) { o.told = append(o.told, f) }

func (o *others) Probe(time.Duration) bool { o.asked++; return o.leased }

func (o *others) Free() { o.freed++ }

// kinds are those of what was told.
func (o *others) kinds() (list []breaker.FactKind) {
	for _, f := range o.told {
		list = append(list, f.Kind)
	}
	return list
}

func newFleetRig(t *testing.T) (*rig, *others) {
	t.Helper()
	r, o := newRig(t, settings()), &others{leased: true}
	r.Join(o)
	return r, o
}

// as makes a call of a caller that ends with a verdict.
func (r *rig) as(user string, v session.Verdict) {
	r.t.Helper()
	done, reason := r.Allow(session.Caller{User: user, Address: user}, 0)
	if reason != session.OK {
		r.t.Fatalf("refused: %s", reason)
	}
	done(v, time.Millisecond)
}

var broken = session.Verdict{Effect: session.Failed, Reason: session.Status5xx}

func TestBreakerTellsItsFleet(t *testing.T) {
	type row struct {
		calls func(*rig)
		told  []breaker.FactKind
	}
	two := func(r *rig, v session.Verdict) {
		for n := range 6 {
			if r.State() == breaker.Closed {
				r.as(fmt.Sprint(n%2), v)
			}
		}
	}
	each(t, map[string]row{
		"no connection, whoever asks":  {func(r *rig) { r.trip() }, []breaker.FactKind{breaker.FactOpened}},
		"failures of two callers":      {func(r *rig) { two(r, broken) }, []breaker.FactKind{breaker.FactOpened}},
		"failures of one caller alone": {func(r *rig) { r.fails(slices.Repeat([]session.Reason{session.Status5xx}, 5)...); r.is(breaker.Open) }, nil},
		"a probe that succeeds":        {func(r *rig) { r.trip(); r.waitOpen(); r.call(ok) }, []breaker.FactKind{breaker.FactOpened, breaker.FactClosed}},
		"a probe that fails":           {func(r *rig) { r.trip(); r.waitOpen(); r.call(fail) }, []breaker.FactKind{breaker.FactOpened, breaker.FactOpened}},
		"a limit of the key":           {func(r *rig) { r.as("a", session.Verdict{Cooldown: time.Second, KeyLimit: true}) }, []breaker.FactKind{breaker.FactCooled}},
		"a limit of one caller":        {func(r *rig) { r.as("a", session.Verdict{Cooldown: time.Second}) }, nil},
		"a limit of two callers": {func(r *rig) {
			two(r, session.Verdict{})
			r.as("a", session.Verdict{Cooldown: time.Second})
			r.as("b", session.Verdict{Cooldown: time.Second})
		}, []breaker.FactKind{breaker.FactCooled}},
		"forced": {func(r *rig) { r.force(breaker.ForcedOpen, time.Hour) }, nil},
	}, func(t *testing.T, c row) {
		r, o := newFleetRig(t)
		c.calls(r)
		if !slices.Equal(o.kinds(), c.told) {
			t.Errorf("told %v, want %v", o.kinds(), c.told)
		}
		r.Close()
	})
}

// What was told can be told again for as long as it holds.
func TestBreakerFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newFleetRig(t)
		r.trip()
		time.Sleep(5 * time.Second)
		found := r.Found()
		if len(found) != 1 || found[0].Kind != breaker.FactOpened || found[0].Reason != "dial" ||
			o.told[0].Left-found[0].Left != 5*time.Second || found[0].Nominal != 15*time.Second {
			t.Errorf("found %+v after telling %+v", found, o.told)
		}
		r.Adopt(breaker.Fact{Kind: breaker.FactOpened, Left: time.Minute})
		if found := r.Found(); len(found) != 0 {
			t.Errorf("what others have told was told as its own: %+v", found)
		}
	})
}

func TestBreakerAdopts(t *testing.T) {
	open := func(d time.Duration) breaker.Fact {
		return breaker.Fact{Kind: breaker.FactOpened, Left: d, Nominal: 30 * time.Second, Reason: "dial"}
	}
	scenes(t, settings(), map[string]func(*rig){
		"open, while it is closed": func(r *rig) {
			r.Adopt(open(20 * time.Second))
			r.told(opened)
			if left := time.Until(r.OpenUntil()); left != 20*time.Second {
				r.t.Errorf("open for %s", left)
			}
			r.waitOpen()
			r.call(fail) // the next open time is twice as long as that of the one that told
			if left := time.Until(r.OpenUntil()); left < 54*time.Second || left > 66*time.Second {
				r.t.Errorf("open for %s", left)
			}
		},
		"open for longer, while it is open": func(r *rig) {
			r.trip()
			r.Adopt(open(time.Minute))
			r.Adopt(open(time.Second))
			if left := time.Until(r.OpenUntil()); left != time.Minute {
				r.t.Errorf("open for %s", left)
			}
			r.told(opened)
		},
		"open, while its probe is under way": func(r *rig) {
			r.trip()
			r.waitOpen()
			p := r.allowed()
			r.Adopt(open(20 * time.Second))
			r.is(breaker.Open)
			p.end(ok) // late
			r.is(breaker.Open)
		},
		"open for longer than it ever is": func(r *rig) {
			r.Adopt(open(time.Hour))
			if left := time.Until(r.OpenUntil()); left > 132*time.Second {
				r.t.Errorf("open for %s", left)
			}
		},
		"open, but over": func(r *rig) { r.Adopt(open(0)); r.is(breaker.Closed) },
		"closed, while it is open": func(r *rig) {
			r.trip()
			time.Sleep(time.Second)
			r.Adopt(breaker.Fact{Kind: breaker.FactClosed})
			r.is(breaker.Closed)
			r.told(opened, halfway, closed)
			r.call(ok)
		},
		"closed, while its probe is under way": func(r *rig) {
			r.trip()
			r.waitOpen()
			p := r.allowed()
			r.Adopt(breaker.Fact{Kind: breaker.FactClosed})
			r.is(breaker.Closed)
			p.end(fail)
			r.is(breaker.Closed)
		},
		"closed, while it is closed": func(r *rig) { r.Adopt(breaker.Fact{Kind: breaker.FactClosed}); r.told() },
		"a cooldown, and the later one counts": func(r *rig) {
			r.Adopt(breaker.Fact{Kind: breaker.FactCooled, Left: 20 * time.Second})
			r.Adopt(breaker.Fact{Kind: breaker.FactCooled, Left: 10 * time.Second})
			if left := r.RetryIn(); left != 20*time.Second {
				r.t.Errorf("retry in %s", left)
			}
		},
		"a cooldown of a day": func(r *rig) {
			r.Adopt(breaker.Fact{Kind: breaker.FactCooled, Left: 24 * time.Hour})
			if left := r.RetryIn(); left != time.Minute {
				r.t.Errorf("retry in %s", left)
			}
		},
		"open, while it is forced closed": func(r *rig) {
			r.force(breaker.ForcedClosed, time.Second)
			r.Adopt(open(20 * time.Second))
			r.call(ok)
			time.Sleep(2 * time.Second)
			r.is(breaker.Open)
		},
		"nonsense": func(r *rig) { r.Adopt(breaker.Fact{Kind: "?", Left: time.Hour}); r.is(breaker.Closed); r.told() },
	})
}

// Nothing that is adopted is told again: two instances would never stop.
func TestBreakerDoesNotEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newFleetRig(t)
		r.Adopt(breaker.Fact{Kind: breaker.FactOpened, Left: time.Second, Reason: "dial"})
		r.Adopt(breaker.Fact{Kind: breaker.FactClosed})
		r.Adopt(breaker.Fact{Kind: breaker.FactCooled, Left: time.Second})
		if len(o.told) != 0 {
			t.Errorf("told %+v", o.told)
		}
	})
}

// Only who has the lease probes. A probe that tells nothing gives it back.
func TestBreakerProbesWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newFleetRig(t)
		r.trip()
		r.waitOpen()
		if o.asked != 0 {
			t.Errorf("asked %d times while no probe was due", o.asked)
		}
		o.leased = false
		r.refused(session.Open)
		r.refused(session.Open)
		o.leased = true
		p := r.allowed()
		asked := o.asked
		r.refused(session.Open) // the one probe is under way
		if o.asked != asked {
			t.Error("asked for a probe that it could not make")
		}
		p.end(excluded)
		if o.freed != 1 {
			t.Errorf("given back %d times", o.freed)
		}
		r.call(ok)
		r.is(breaker.Closed)
		r.call(ok, ok)
		if asked+1 != o.asked {
			t.Errorf("asked %d times, want once more", o.asked-asked)
		}
	})
}

// One who leaves the fleet probes as ever.
func TestBreakerLeavesItsFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newFleetRig(t)
		o.leased = false
		r.trip()
		r.waitOpen()
		r.refused(session.Open)
		r.Join(nil)
		r.call(ok)
		r.is(breaker.Closed)
		if len(o.told) != 1 {
			t.Errorf("told %v", o.told)
		}
	})
}
