package chain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What follows from the answers of two providers, the first of which takes longer than
// 100 ms: whose session the client gets and when, and what becomes of the other one.
func TestHedge(t *testing.T) {
	type row struct {
		a, b, c  answer
		by       string
		trail    []session.Reason
		took     time.Duration
		asked    [3]int
		lines    []string
		canceled []string
		withdrew bool
	}
	rejects := answers(403)
	chaintest.Each(t, map[string]row{
		"in time": {
			a: later(99*ms, gives("A")), b: gives("B"), c: gives("C"), by: "a", took: 99 * ms, asked: [3]int{1, 0, 0},
			lines: []string{"attempt a "},
		},
		"the second is first": {
			a: later(500*ms, gives("A")), b: later(50*ms, gives("B")), c: gives("C"),
			by: "b", trail: []session.Reason{session.Hedge}, took: 150 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b ", "hedge a won", "attempt a "}, canceled: []string{"a A r1"},
		},
		"the first is first after all": {
			a: later(120*ms, gives("A")), b: later(50*ms, gives("B")), c: gives("C"),
			by: "a", took: 120 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt a ", "hedge a lost", "attempt b "}, canceled: []string{"b B r1"},
		},
		"the second fails": {
			a: later(300*ms, gives("A")), b: answers(500), c: gives("C"), by: "a", took: 300 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b status_5xx", "hedge a failed", "attempt a "},
		},
		"the first fails while the second is asked": {
			a: later(120*ms, answers(500)), b: later(50*ms, gives("B")), c: gives("C"),
			by: "b", trail: []session.Reason{session.Status5xx}, took: 150 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt a status_5xx", "attempt b ", "hedge a won"},
		},
		"the first fails after the second was served": {
			a: later(300*ms, answers(500)), b: gives("B"), c: gives("C"),
			by: "b", trail: []session.Reason{session.Hedge}, took: 100 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b ", "hedge a won", "attempt a status_5xx"},
		},
		"both fail, the second first": {
			a: later(300*ms, answers(500)), b: answers(502), c: gives("C"),
			by: "c", trail: []session.Reason{session.Status5xx, session.Status5xx}, took: 300 * ms, asked: [3]int{1, 1, 1},
			lines: []string{"attempt b status_5xx", "hedge a failed", "attempt a status_5xx", "attempt c "},
		},
		"both fail, the first first": {
			a: later(120*ms, answers(500)), b: later(50*ms, answers(502)), c: gives("C"),
			by: "c", trail: []session.Reason{session.Status5xx, session.Status5xx}, took: 150 * ms, asked: [3]int{1, 1, 1},
			lines: []string{"attempt a status_5xx", "attempt b status_5xx", "hedge a failed", "attempt c "},
		},
		// A refusal counts as in a chain that is asked one after the other.
		"the first refuses": {
			a: later(120*ms, rejects), b: later(50*ms, gives("B")), c: gives("C"),
			trail: []session.Reason{session.Rejected}, took: 120 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt a rejected", "hedge a lost", "attempt b "}, canceled: []string{"b B r1"},
		},
		"the first refuses too late": {
			a: later(300*ms, rejects), b: gives("B"), c: gives("C"),
			by: "b", trail: []session.Reason{session.Hedge}, took: 100 * ms, asked: [3]int{1, 1, 0},
			lines:    []string{"attempt b ", "hedge a won", "attempt a rejected", "hedge a refused", "withdraw a b"},
			canceled: []string{"b B r1"}, withdrew: true,
		},
		"the second refuses, the first serves": {
			a: later(300*ms, gives("A")), b: rejects, c: gives("C"), by: "a", took: 300 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b rejected", "hedge a failed", "attempt a "},
		},
		"the second refuses, the first fails": {
			a: later(300*ms, answers(500)), b: rejects, c: gives("C"),
			trail: []session.Reason{session.Status5xx, session.Rejected}, took: 300 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b rejected", "hedge a failed", "attempt a status_5xx"},
		},
		"the first hangs": {
			a: hangs, b: gives("B"), c: gives("C"), by: "b", trail: []session.Reason{session.Hedge}, took: 100 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b ", "hedge a won", "attempt a timeout"},
		},
		// It goes on after its time limit of 3 s, and 30 s more.
		"the first answers after its time limit": {
			a: later(20*time.Second, gives("A")), b: gives("B"), c: gives("C"),
			by: "b", trail: []session.Reason{session.Hedge}, took: 100 * ms, asked: [3]int{1, 1, 0},
			lines: []string{"attempt b ", "hedge a won", "attempt a timeout"}, canceled: []string{"a A r1"},
		},
	}, func(t *testing.T, c row) {
		r, o, fakes := hedging(t, c.a, c.b, c.c)
		start := time.Now()
		res := r.run(t.Context())
		if took := time.Since(start); took != c.took || res.Upstream != c.took {
			t.Errorf("took %s, %s of it upstream, want %s", took, res.Upstream, c.took)
		}
		settle()
		served(t, res, c.by, c.trail...)
		for i, f := range fakes {
			if len(f.limits) != c.asked[i] || f.Permits != len(f.Effects) {
				t.Errorf("%s was asked %d times, want %d; %d of %d permits came back", f.Name, len(f.limits), c.asked[i], len(f.Effects), f.Permits)
			}
		}
		r.Saw(c.lines...)
		if !slices.Equal(o.canceled, c.canceled) || (len(o.withdrawn) > 0) != c.withdrew {
			t.Errorf("canceled %q, withdrawn %q; want %q", o.canceled, o.withdrawn, c.canceled)
		}
	})
}
