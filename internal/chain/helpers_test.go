package chain_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// answer is what a fake provider does when it is asked.
type answer func(ctx context.Context) (session.Session, error)

func gives(secret session.Secret) answer {
	return func(context.Context) (session.Session, error) { return session.Session{Secret: secret}, nil }
}

func fails(f session.Failure) answer {
	return func(context.Context) (session.Session, error) { return session.Session{}, &f }
}

func because(r session.Reason) answer { return fails(session.Failure{Reason: r}) }

func answers(status int) answer { return fails(session.Failure{Status: status, Answered: true}) }

// hangs waits for its time limit, as a provider should.
func hangs(ctx context.Context) (session.Session, error) {
	<-ctx.Done()
	return session.Session{}, ctx.Err()
}

// takes does the same as then, after d and whatever its time limit says.
func takes(d time.Duration, then answer) answer {
	return func(ctx context.Context) (session.Session, error) {
		time.Sleep(d)
		return then(ctx)
	}
}

// fake is a target with its provider and its breaker.
type fake struct {
	*chain.Target
	chaintest.Breaker
	answers []answer // the last one repeats
	limits  []time.Duration

	mu sync.Mutex
}

func (f *fake) Create(ctx context.Context, req *session.Request) (session.Session, error) {
	if req.User != "u1" {
		f.T.Errorf("%s is asked for user %q", f.Name, req.User)
	}
	until, ok := ctx.Deadline()
	if !ok {
		f.T.Errorf("%s is asked without a time limit", f.Name)
	}
	f.mu.Lock()
	f.limits = append(f.limits, time.Until(until))
	then := f.answers[min(len(f.limits), len(f.answers))-1]
	f.mu.Unlock()
	return then(ctx)
}

// asked checks how often the provider was asked, and that every permit came
// back with the effects given.
func (f *fake) asked(effects ...session.Effect) {
	f.T.Helper()
	f.Asked(f.Name, len(f.limits), effects...)
}

// rig is a chain of fakes, and the log of its observer.
type rig struct {
	chain.Chain
	chaintest.Log
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{Log: chaintest.Log{T: t}, Chain: chain.Chain{Deadline: 10 * time.Second}}
}

// add appends a target without retries.
func (r *rig) add(name string, answers ...answer) *fake {
	f := &fake{Breaker: chaintest.Breaker{T: r.T}, answers: answers}
	f.Target = &chain.Target{
		Name: name, Provider: f, Breaker: &f.Breaker, Observer: r.Observer(name), Timeout: 3 * time.Second, RetryBudget: chain.NewRetryBudget(),
	}
	r.Targets = append(r.Targets, f.Target)
	return f
}

func (r *rig) run(ctx context.Context) chain.Result {
	return r.Run(ctx, &session.Request{User: "u1", ID: "r1"}, session.Caller{User: "u1"})
}

// served checks who served, "" for nobody, and the reasons of those before.
func served(t *testing.T, res chain.Result, name string, trail ...session.Reason) {
	t.Helper()
	var got string
	if res.Served != nil {
		got = res.Served.Name
	}
	reasons := make([]session.Reason, 0, len(res.Steps))
	for _, s := range res.Steps {
		reasons = append(reasons, s.Verdict.Reason)
	}
	if got != name || !slices.Equal(reasons, trail) {
		t.Errorf("served by %q after %q, want %q after %q", got, reasons, name, trail)
	}
	if (res.Session.Secret != "") != (name != "") {
		t.Errorf("served by %q with the session %q", got, res.Session.Secret.Reveal())
	}
}

var errCut = errors.New("connection cut")

const (
	okay     = session.Success
	failed   = session.Failed
	excluded = session.Excluded
)
