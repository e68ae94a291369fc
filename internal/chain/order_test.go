package chain_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestRunAsksInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a, b := r.add("a", answers(500)), r.add("b", because(session.DNS))
		c, d := r.add("c", gives("s3")), r.add("d", gives("s4"))
		res := r.run(t.Context())
		served(t, res, "c", session.Status5xx, session.DNS)
		if res.Session.Secret.Reveal() != "s3" || !res.Fallback() || res.Reason() != session.Status5xx {
			t.Errorf("got %+v", res)
		}
		if res.Steps[0].Target != a.Target || res.Steps[1].Target != b.Target {
			t.Errorf("trail of the wrong targets: %v", res.Trail)
		}
		a.asked(failed)
		b.asked(failed)
		c.asked(okay)
		d.asked()
		r.Saw("attempt a status_5xx", "attempt b dns", "attempt c ")
		if want := []string{"a to c: status_5xx"}; !slices.Equal(r.FellBack, want) {
			t.Errorf("fell back %q, want %q", r.FellBack, want)
		}
	})
}

// Nothing of a session that cannot be used is left in the result.
func TestRunKeepsNothingOfAFailure(t *testing.T) {
	for name, a := range map[string]answer{
		"with an error": func(context.Context) (session.Session, error) { return session.Session{Secret: "half"}, errCut },
		"not usable":    gives("a\nb"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.add("a", a).Retries = 1
				r.add("b", gives("s2")).Timeout = 0 // has no time to serve
				if res := r.run(t.Context()); res.Served != nil || res.Session.Secret != "" {
					t.Errorf("got %q", res.Session.Secret.Reveal())
				}
			})
		})
	}
}

// Which failure of the first goes on to the second, and what its breaker learns.
func TestRunGoesOnOrStops(t *testing.T) {
	only403, err := session.ParseStatusSet([]string{"403"})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		answer     answer
		fallbackOn *session.StatusSet
		reason     session.Reason
		effect     session.Effect
		next       bool
	}
	chaintest.Each(t, map[string]row{
		"500":                    {answers(500), nil, session.Status5xx, failed, true},
		"429":                    {answers(429), nil, session.Status429, failed, true},
		"422 refuses the caller": {answers(422), nil, session.Rejected, excluded, false},
		"403 in the list":        {answers(403), only403, session.Status4xx, excluded, true},
		"500 not in the list":    {answers(500), only403, session.Status5xx, failed, false},
		"no secret":              {gives(""), nil, session.InvalidResponse, failed, true},
		"error of the transport": {func(context.Context) (session.Session, error) {
			return session.Session{Secret: "half"}, errCut
		}, nil, session.Reset, failed, true},
		"time limit":                    {hangs, nil, session.Timeout, failed, true},
		"provider says the client left": {because(session.Canceled), nil, session.Canceled, excluded, false},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a, b := r.add("a", c.answer), r.add("b", gives("s2"))
		a.FallbackOn = c.fallbackOn
		res := r.run(t.Context())
		a.asked(c.effect)
		if c.next {
			served(t, res, "b", c.reason)
			b.asked(okay)
			return
		}
		served(t, res, "", c.reason)
		b.asked()
		if last := res.Last(); last.Target != a.Target || last.Verdict.Reason != c.reason {
			t.Errorf("last step is %+v", last)
		}
	})
}

// Nobody is asked for a client that has gone. Its leaving says nothing about a
// provider, unless it has waited for long. Of a status that had arrived before, the breaker learns.
func TestRunStopsWhenTheClientLeaves(t *testing.T) {
	type row struct {
		leaves func(cancel func()) answer // of the first provider, nil: before it is asked
		took   time.Duration
		trail  []session.Reason
		effect []session.Effect
		saw    []string
	}
	chaintest.Each(t, map[string]row{
		"while a provider is waited for": {
			func(cancel func()) answer { time.AfterFunc(time.Second, cancel); return hangs },
			time.Second, []session.Reason{session.Canceled}, []session.Effect{excluded}, []string{"attempt a canceled"},
		},
		"after just half of the time limit": {
			func(cancel func()) answer { time.AfterFunc(1500*ms, cancel); return hangs },
			1500 * ms, []session.Reason{session.Canceled}, []session.Effect{excluded}, []string{"attempt a canceled"},
		},
		"after more than half of the time limit": {
			func(cancel func()) answer { time.AfterFunc(1501*ms, cancel); return hangs },
			1501 * ms, []session.Reason{session.Abandoned}, []session.Effect{failed}, []string{"attempt a abandoned"},
		},
		"just before the time limit": {
			func(cancel func()) answer { time.AfterFunc(3000*ms-1, cancel); return hangs },
			3000*ms - 1, []session.Reason{session.Abandoned}, []session.Effect{failed}, []string{"attempt a abandoned"},
		},
		"after a status": {
			func(cancel func()) answer {
				return func(ctx context.Context) (session.Session, error) { cancel(); return answers(500)(ctx) }
			},
			0, []session.Reason{session.Status5xx, session.Canceled}, []session.Effect{failed},
			[]string{"attempt a status_5xx", "skip b canceled"},
		},
		"before a retry": {
			func(cancel func()) answer {
				return func(ctx context.Context) (session.Session, error) { cancel(); return answers(503)(ctx) }
			},
			0, []session.Reason{session.Canceled}, []session.Effect{failed}, []string{"attempt a status_5xx", "skip a canceled"},
		},
		"within a panic": { // a breaker must not open for those
			func(cancel func()) answer {
				return func(context.Context) (session.Session, error) { cancel(); panic("gone") }
			},
			0, []session.Reason{session.Canceled}, []session.Effect{excluded}, []string{"attempt a canceled"},
		},
		"beforehand": {nil, 0, []session.Reason{session.Canceled}, nil, []string{"skip a canceled"}},
	}, func(t *testing.T, c row) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := newRig(t)
		a, b := r.add("a"), r.add("b", gives("s2"))
		a.Retries, a.Backoff = 5, time.Second
		if c.leaves == nil {
			cancel()
		} else {
			a.answers = []answer{c.leaves(cancel)}
		}
		res := r.run(ctx)
		served(t, res, "", c.trail...)
		a.asked(c.effect...)
		b.asked()
		r.Saw(c.saw...)
		if res.Upstream != c.took {
			t.Errorf("waited %s for providers", res.Upstream)
		}
	})
}

func TestRunOfNoneAndOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		res := r.run(t.Context())
		served(t, res, "")
		if res.Last() != (chain.Step{}) || res.Reason() != session.OK || res.Fallback() {
			t.Errorf("without providers: got %+v", res)
		}
		a, b := r.add("a", gives("s1")), r.add("b", gives("s2"))
		res = r.run(t.Context())
		served(t, res, "a")
		if res.Session.Secret.Reveal() != "s1" || res.Fallback() || res.Reason() != session.OK || r.FellBack != nil {
			t.Errorf("got %+v", res)
		}
		a.asked(okay)
		b.asked()
		r.Saw("attempt a ")
	})
}
