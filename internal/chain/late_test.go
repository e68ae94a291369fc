package chain_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// An answer after its time limit, or for a client who has left, is a session that
// nobody gets.
func TestLateAnswer(t *testing.T) {
	type row struct {
		a        answer
		leave    time.Duration
		prepare  func(*fake)
		want     session.Reason
		canceled []string
		results  []string
	}
	chaintest.Each(t, map[string]row{
		"late":                {a: later(10*time.Second, gives("A")), want: session.Timeout, canceled: []string{"a A r1"}, results: []string{"a canceled"}},
		"late failure":        {a: later(10*time.Second, answers(500)), want: session.Timeout},
		"never":               {a: hangs, want: session.Timeout, results: []string{"a unknown"}},
		"late panic":          {a: later(10*time.Second, func(context.Context) (session.Session, error) { panic("x") }), want: session.Timeout},
		"the client has left": {a: later(time.Second, gives("A")), leave: 100 * ms, want: session.Canceled, canceled: []string{"a A r1"}, results: []string{"a canceled"}},
		"left late":           {a: later(4*time.Second, gives("A")), leave: 2 * time.Second, want: session.Abandoned, canceled: []string{"a A r1"}, results: []string{"a canceled"}},
		"too many": {
			a: later(10*time.Second, gives("A")), prepare: func(f *fake) { full(f.Orphans, orphan.Late) },
			want: session.Timeout, results: []string{"a unknown"},
		},
		"no id": {
			a: later(10*time.Second, gives("A")), want: session.Timeout, results: []string{"a unsupported"},
			prepare: func(f *fake) {
				f.Discard = func(context.Context, *session.Session, string) error { return errors.ErrUnsupported }
			},
		},
	}, func(t *testing.T, c row) {
		r, o := newRig(t), new(orphans)
		a := r.add("a", c.a)
		o.keep(a)
		if c.prepare != nil {
			c.prepare(a)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		limit := 3 * time.Second
		if c.leave > 0 {
			limit = c.leave
			time.AfterFunc(c.leave, cancel)
		}
		start := time.Now()
		served(t, r.run(ctx), "", c.want)
		if took := time.Since(start); took != limit {
			t.Errorf("took %s", took)
		}
		settle()
		if len(a.limits) != 1 || !slices.Equal(o.canceled, c.canceled) || !slices.Equal(o.results, c.results) {
			t.Errorf("asked %d times, canceled %q with %q; want %q with %q", len(a.limits), o.canceled, o.results, c.canceled, c.results)
		}
	})
}

// What comes in time is as it was, a panic too.
func TestCancelerInTime(t *testing.T) {
	type row struct {
		a    answer
		by   string
		want []session.Reason
	}
	chaintest.Each(t, map[string]row{
		"session": {later(time.Second, gives("A")), "a", nil},
		"failure": {answers(500), "", []session.Reason{session.Status5xx}},
		"panic":   {func(context.Context) (session.Session, error) { panic("x") }, "", []session.Reason{session.Misconfigured}},
	}, func(t *testing.T, c row) {
		r, o := newRig(t), new(orphans)
		a := r.add("a", c.a)
		o.keep(a)
		served(t, r.run(t.Context()), c.by, c.want...)
		settle()
		if len(o.results) > 0 || len(a.limits) != 1 {
			t.Errorf("orphans %q, asked %d times", o.results, len(a.limits))
		}
	})
}
