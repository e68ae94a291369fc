package chain_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Only what surely did nothing is tried again.
func TestRetryOnlyWhatDidNothing(t *testing.T) {
	type row struct {
		answer   answer
		attempts int
	}
	chaintest.Each(t, map[string]row{
		"dial":                   {because(session.Dial), 3},
		"reset before an answer": {because(session.Reset), 3},
		"error of the transport": {func(context.Context) (session.Session, error) { return session.Session{}, errCut }, 3},
		"503":                    {answers(503), 3},
		"503 with Retry-After":   {fails(session.Failure{Status: 503, RetryAfter: time.Second}), 1},
		"reset within an answer": {fails(session.Failure{Reason: session.Reset, Answered: true}), 1},
		"500":                    {answers(500), 1},
		"429":                    {answers(429), 1},
		"dns":                    {because(session.DNS), 1},
		"timeout":                {hangs, 1},
		"invalid":                {gives(""), 1},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a, b := r.add("a", c.answer), r.add("b", gives("s2"))
		a.Retries = 2
		res := r.run(t.Context())
		if res.Served != b.Target || len(res.Steps) != 1 {
			t.Errorf("got %+v", res)
		}
		a.asked([]session.Effect{failed, failed, failed}[:c.attempts]...)
	})
}

func TestRetryCount(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			a := r.add("a", because(session.Dial))
			a.Retries = n
			r.run(t.Context())
			if got := len(a.limits); got != n+1 {
				t.Errorf("%d retries make %d attempts", n, got)
			}
		})
	}
}

func TestRetryThatServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a, b := r.add("a", because(session.Dial), gives("s1")), r.add("b", gives("s2"))
		a.Retries, a.Backoff = 1, time.Second
		start := time.Now()
		res := r.run(t.Context())
		served(t, res, "a")
		if res.Fallback() || res.Reason() != session.OK {
			t.Errorf("got %+v", res)
		}
		a.asked(failed, okay)
		b.asked()
		r.Saw("attempt a dial", "retry a", "attempt a ")
		if took := time.Since(start); res.Upstream != took || took > time.Second {
			t.Errorf("took %s, upstream %s", took, res.Upstream)
		}
	})
}

// A refusal by the second attempt is as final as one by the first.
func TestRetryThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a, b := r.add("a", answers(503), answers(422)), r.add("b", gives("s2"))
		a.Retries = 5
		served(t, r.run(t.Context()), "", session.Rejected)
		a.asked(failed, okay)
		b.asked()
	})
}

// A breaker that opens between an attempt and its retry does not change why the
// provider failed, and there is no retry to speak of.
func TestRetryRefusedByAFake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.add("a", because(session.Dial))
		r.add("b", gives("s2"))
		a.Retries = 1
		a.Refusals, a.Wait = []session.Reason{session.OK, session.Open}, time.Minute
		res := r.run(t.Context())
		served(t, res, "b", session.Dial)
		a.asked(failed)
		r.Saw("attempt a dial", "attempt b ")
		if res.RetryIn != 0 {
			t.Errorf("retry in %s, though nobody was skipped", res.RetryIn)
		}
	})
}

func TestRetryRefusedByABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := breaker.Defaults()
		set.Consecutive = 2
		r := newRig(t)
		a := r.add("a", because(session.Dial))
		a.Retries, a.Target.Breaker = 5, breaker.New(set, nil, nil)
		served(t, r.run(t.Context()), "", session.Dial)
		if n := len(a.limits); n != 2 {
			t.Errorf("asked %d times", n)
		}
		served(t, r.run(t.Context()), "", session.Open)
	})
}

// Backoffs must not eat the time kept for the providers still to come: they
// once did, and the second provider was skipped for want of it.
func TestRetryLeavesTimeForTheNext(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.Deadline = 4 * time.Second
			a, b := r.add("a", because(session.Dial)), r.add("b", takes(1900*ms, gives("s2")))
			a.Retries, a.Backoff, b.Timeout = 1, 4*time.Second, 2*time.Second
			served(t, r.run(t.Context()), "b", session.Dial)
			b.asked(okay)
			if b.limits[0] != 2*time.Second {
				t.Errorf("second gets %s", b.limits[0])
			}
		})
	}
}

// Where the backoff would outlast the deadline there is no wait at all.
func TestRetryWithoutTimeForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Deadline = time.Second
		a := r.add("a", takes(995*ms, because(session.Dial)))
		a.Retries = 1
		res := r.run(t.Context())
		served(t, res, "", session.Dial)
		a.asked(failed)
		r.Saw("attempt a dial")
		if res.Upstream != 995*ms {
			t.Errorf("upstream took %s", res.Upstream)
		}
	})
}
