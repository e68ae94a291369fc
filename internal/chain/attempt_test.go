package chain_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// noting is a breaker that notes what it is told.
type noting struct {
	chaintest.Breaker
	who  session.Caller
	life time.Duration
	v    session.Verdict
	took time.Duration
}

func (n *noting) Allow(who session.Caller, life time.Duration) (func(session.Verdict, time.Duration), session.Reason) {
	n.who, n.life = who, life
	return func(v session.Verdict, took time.Duration) { n.v, n.took = v, took }, session.OK
}

// A permit that comes back because of a cap says so: the caller has not had it.
func TestAttemptTellsTheBreakerOfTheCap(t *testing.T) {
	b := &noting{Breaker: chaintest.Breaker{T: t}}
	target := &chain.Target{Name: "a", Breaker: b, Observer: chaintest.Silent{}, Cap: empty{}}
	target.Try(&chain.Attempt{Client: t.Context(), Context: t.Context(), Session: true})
	if b.v != (session.Verdict{Reason: session.RateLimited, Effect: excluded}) {
		t.Errorf("the breaker was told %+v", b.v)
	}
}

func noted(t *testing.T, a chain.Attempt) (*noting, session.Verdict) {
	t.Helper()
	b := &noting{Breaker: chaintest.Breaker{T: t}}
	target := &chain.Target{Name: "a", Breaker: b, Observer: chaintest.Silent{}}
	a.Client, a.Context = t.Context(), t.Context()
	return b, target.Try(&a)
}

// The breaker is told who asks, and how long a session may take to come. How long
// other answers take is not the provider's fault.
func TestAttemptTellsTheBreaker(t *testing.T) {
	who := session.Caller{User: "u1", Address: "192.0.2.1"}
	call := func() error { time.Sleep(time.Second); return nil }
	type row struct {
		attempt chain.Attempt
		took    time.Duration
	}
	chaintest.Each(t, map[string]row{
		"session":         {chain.Attempt{Session: true}, time.Second},
		"carried request": {chain.Attempt{Carried: true}, 0},
		"cancellation":    {chain.Attempt{}, 0},
	}, func(t *testing.T, c row) {
		c.attempt.Caller, c.attempt.Life, c.attempt.Call = who, time.Minute, call
		b, v := noted(t, c.attempt)
		if b.who != who || b.life != time.Minute || b.took != c.took || b.v != v || v.Effect != okay {
			t.Errorf("the breaker was told %+v", b)
		}
	})
}

func TestRunTellsTheBreakerWhoAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", gives("s1"))
		b := &noting{Breaker: chaintest.Breaker{T: t}}
		a.Target.Breaker = b
		served(t, r.run(t.Context()), "a")
		if b.who != (session.Caller{User: "u1"}) || b.life != 6*time.Second {
			t.Errorf("the breaker was told %+v", b)
		}
	})
}

// Carried requests have a table of their own. An answer that says nothing about the
// provider is no failure for the observer either.
func TestAttemptCarried(t *testing.T) {
	type row struct {
		err  error
		want session.Verdict
	}
	chaintest.Each(t, map[string]row{
		"accepted":     {nil, session.Verdict{Effect: okay}},
		"redirect":     {&session.Failure{Status: 302}, session.Verdict{Status: 302}},
		"too many":     {&session.Failure{Status: 429}, session.Verdict{Reason: session.Rejected, Status: 429}},
		"unauthorized": {&session.Failure{Status: 401}, session.Verdict{Reason: session.Rejected, Status: 401}},
		"fails":        {&session.Failure{Status: 500}, session.Verdict{Reason: session.Status5xx, Effect: failed, Next: true, Status: 500}},
	}, func(t *testing.T, c row) {
		log := &chaintest.Log{T: t}
		target := &chain.Target{Name: "a", Breaker: &chaintest.Breaker{T: t}, Observer: log.Observer("a")}
		v := target.Try(&chain.Attempt{
			RequestID: "r1", Client: t.Context(), Context: t.Context(), Carried: true, Call: func() error { return c.err },
		})
		c.want.Carried = true
		if v != c.want {
			t.Errorf("got %+v, want %+v", v, c.want)
		}
		log.Saw("attempt a " + string(c.want.Reason))
	})
}

// Only who waits for a session has a time after which waiting is pointless.
func TestAttemptOfOthersIsNeverAbandoned(t *testing.T) {
	for name, carried := range map[string]bool{"carried request": true, "cancellation": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, leave := context.WithCancel(t.Context())
				ctx, cancel := context.WithTimeout(client, 3*time.Second)
				defer cancel()
				time.AfterFunc(2*time.Second, leave)
				b := &chaintest.Breaker{T: t}
				target := &chain.Target{Name: "a", Breaker: b, Observer: chaintest.Silent{}}
				if v := target.Try(&chain.Attempt{
					Client: client, Context: ctx, Carried: carried, Call: func() error { <-ctx.Done(); return errors.New("cut") },
				}); v.Reason != session.Canceled || v.Effect != excluded {
					t.Errorf("got %+v", v)
				}
			})
		})
	}
}
