package chain_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Who is asked as a hedge: the next one that an ordinary request would ask.
func TestHedgeAsksWhoMayBeAsked(t *testing.T) {
	type row struct {
		prepare func(b *fake)
		by      string
	}
	chaintest.Each(t, map[string]row{
		"closed":           {func(*fake) {}, "b"},
		"open":             {func(b *fake) { b.Refusals = []session.Reason{session.Open} }, "c"},
		"half-open":        {func(b *fake) { b.Probing = true }, "c"},
		"at its cap":       {func(b *fake) { b.Cap = empty{} }, "c"},
		"too many to hold": {func(b *fake) { full(b.Orphans, orphan.Loser) }, "a"},
	}, func(t *testing.T, c row) {
		r, _, fakes := hedging(t, later(500*ms, gives("A")), gives("B"), gives("C"))
		c.prepare(fakes[1])
		res := r.run(t.Context())
		if res.Served == nil || res.Served.Name != c.by {
			t.Errorf("got %+v, want %s", res, c.by)
		}
		settle()
	})
}

// Of ten requests in ten seconds one is hedged, whoever asks for more.
func TestHedgeIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, fakes := hedging(t, later(500*ms, gives("A")), gives("B"))
		served(t, r.run(t.Context()), "b", session.Hedge)
		served(t, r.run(t.Context()), "a")
		if n := len(fakes[1].limits); n != 1 {
			t.Errorf("%d hedges", n)
		}
		settle()
		r.Saw("attempt b ", "hedge a won", "hedge a capped", "attempt a ", "attempt a ")
	})
}

// A client that leaves ends both. Their sessions are canceled.
func TestHedgeClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o, fakes := hedging(t, later(500*ms, gives("A")), later(500*ms, gives("B")))
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(200*ms, leave)
		start := time.Now()
		served(t, r.run(ctx), "", session.Canceled)
		if took := time.Since(start); took != 200*ms {
			t.Errorf("took %s", took)
		}
		settle()
		for _, f := range fakes {
			f.asked(excluded)
		}
		slices.Sort(o.canceled)
		if !slices.Equal(o.canceled, []string{"a A r1", "b B r1"}) {
			t.Errorf("canceled %q", o.canceled)
		}
	})
}

// Nothing is begun for a request that has its answer: no retry either.
func TestHedgeLoserIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, fakes := hedging(t, later(200*ms, because(session.Dial)), gives("B"))
		fakes[0].Retries = 3
		served(t, r.run(t.Context()), "b", session.Hedge)
		settle()
		fakes[0].asked(failed)
	})
}

// While a retry is waited for, another one is asked as well.
func TestHedgeWhileRetrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, fakes := hedging(t, because(session.Dial), gives("B"))
		fakes[0].Retries, fakes[0].Schedule = 3, time.Second
		start := time.Now()
		served(t, r.run(t.Context()), "b", session.Hedge)
		if took := time.Since(start); took != 100*ms {
			t.Errorf("took %s", took)
		}
		settle()
		fakes[0].asked(failed)
	})
}

// Without enough answers nobody knows what is slow.
func TestHedgeByPercentile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, fakes := hedging(t, later(20*ms, gives("A")), gives("B"))
		fakes[0].Hedge = hedge.New(hedge.P95)
		for range 20 {
			served(t, r.run(t.Context()), "a")
		}
		time.Sleep(time.Second)
		fakes[0].answers = []answer{later(2*time.Second, gives("A"))}
		start := time.Now()
		served(t, r.run(t.Context()), "b", session.Hedge)
		if took := time.Since(start); took < 20*ms || took > 22*ms {
			t.Errorf("took %s", took)
		}
		settle()
	})
}

// A request with a time limit of somebody else ends by it, and not as if the client had
// left.
func TestHedgeBeyondADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, fakes := hedging(t, hangs, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		res := r.run(ctx)
		if res.Served != nil || res.Steps[0].Verdict.Reason != session.Timeout {
			t.Errorf("got %+v", res.Steps)
		}
		settle()
		fakes[0].asked(failed)
	})
}
