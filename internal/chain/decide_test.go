package chain

import (
	"context"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

type onlyHedged struct{ Observer }

func (onlyHedged) Hedged(hedge.Result) {}

type onlyRetryIn struct{ Breaker }

func (onlyRetryIn) RetryIn() time.Duration { return 0 }

// Where both answers are there, a refusal by the first counts: no session is handed out
// that would have to be taken back.
func TestRaceOfTwoAnswersAtOnce(t *testing.T) {
	for range 200 { // select takes either
		answeredWith := func(v session.Verdict) *ask {
			a := &ask{
				t:       &Target{Observer: onlyHedged{}, Breaker: onlyRetryIn{}, Orphans: orphan.New(func(string, orphan.Result, error) {})},
				session: &session.Session{Secret: "s"},
				rival: &rival{
					stayed: func() bool { return true }, quit: make(chan struct{}), done: make(chan session.Verdict, 1),
				},
			}
			a.rival.state.Store(answered)
			a.rival.done <- v
			return a
		}
		r := &run{ctx: context.Background(), req: new(session.Request)}
		c := race{
			run: r, first: answeredWith(session.Verdict{Reason: session.Rejected}), second: answeredWith(session.Verdict{}),
			release: [2]func(){func() {}, func() {}},
		}
		c.first.run, c.second.run = r, r
		if rest := c.decide(); rest != nil || r.res.Served != nil || r.res.Reason() != session.Rejected {
			t.Fatalf("served %+v after %q", r.res.Served, r.res.Reason())
		}
	}
}
