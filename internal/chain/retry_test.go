package chain_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// What comes of the attempts after the first.
func TestRetry(t *testing.T) {
	dials := because(session.Dial)
	type row struct {
		answers  []answer
		retries  int
		refusals []session.Reason
		served   string
		trail    []session.Reason
		effects  []session.Effect
		saw      []string
	}
	chaintest.Each(t, map[string]row{
		"none": {
			[]answer{dials}, 0, nil, "b", []session.Reason{session.Dial},
			[]session.Effect{failed}, []string{"attempt a dial", "attempt b "},
		},
		"two that fail": {
			[]answer{dials}, 2, nil, "b", []session.Reason{session.Dial}, []session.Effect{failed, failed, failed},
			[]string{"attempt a dial", "retry a", "attempt a dial", "retry a", "attempt a dial", "attempt b "},
		},
		"the second serves": {
			[]answer{dials, gives("s1")}, 1, nil, "a", nil,
			[]session.Effect{failed, okay}, []string{"attempt a dial", "retry a", "attempt a "},
		},
		"a refusal is as final as that of the first": {
			[]answer{answers(503), answers(422)}, 5, nil, "", []session.Reason{session.Rejected},
			[]session.Effect{failed, excluded}, []string{"attempt a status_5xx", "retry a", "attempt a rejected"},
		},
		// It does not change why the provider failed, and nobody was skipped.
		"the breaker opens meanwhile": {
			[]answer{dials}, 1, []session.Reason{session.OK, session.Open}, "b", []session.Reason{session.Dial},
			[]session.Effect{failed}, []string{"attempt a dial", "attempt b "},
		},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a, b := r.add("a", c.answers...), r.add("b", gives("s2"))
		a.Retries, a.Backoff, a.Refusals, a.Wait = c.retries, time.Second, c.refusals, time.Minute
		start := time.Now()
		res := r.run(t.Context())
		served(t, res, c.served, c.trail...)
		a.asked(c.effects...)
		b.asked([]session.Effect{okay}[:strings.Count(c.served, "b")]...)
		r.Saw(c.saw...)
		if took := time.Since(start); res.Upstream != took || took > 3*time.Second || res.RetryIn != 0 {
			t.Errorf("took %s, upstream %s, retry in %s", took, res.Upstream, res.RetryIn)
		}
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

// The schedule 1, 2, 4 seconds, as far as the deadline goes.
func TestRetryBySchedule(t *testing.T) {
	type row struct {
		deadline time.Duration
		others   bool
		waits    []time.Duration
	}
	s := time.Second
	chaintest.Each(t, map[string]row{
		"all of it":             {10 * s, false, []time.Duration{0, s, 2 * s, 4 * s}},
		"just":                  {7*s + 10*ms, false, []time.Duration{0, s, 2 * s, 4 * s}},
		"no time for the third": {7 * s, false, []time.Duration{0, s, 2 * s}},
		"no time for any":       {s, false, []time.Duration{0}},
		"time kept for another": {10 * s, true, []time.Duration{0, s, 2 * s}},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Deadline = c.deadline
		var waits []time.Duration
		last := time.Now()
		a := r.add("a", func(context.Context) (session.Session, error) {
			waits, last = append(waits, time.Since(last)), time.Now()
			return session.Session{}, &session.Failure{Reason: session.Dial}
		})
		a.Retries, a.Schedule = 3, s
		if c.others {
			r.add("b", gives("s2"))
		}
		r.run(t.Context())
		if !slices.Equal(waits, c.waits) {
			t.Errorf("waited %v, want %v", waits, c.waits)
		}
	})
}
