package chain_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
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
	t       *testing.T
	answers []answer // the last one repeats
	limits  []time.Duration

	// As a breaker.
	refusals  []session.Reason // of one Allow after the other; none: permitted
	retryIn   time.Duration
	permits   int
	effects   []session.Effect // of the permits given back, in order
	cooldowns []time.Duration
}

func (f *fake) Create(ctx context.Context, req *session.Request) (session.Session, error) {
	if req.User != "u1" {
		f.t.Errorf("%s is asked for user %q", f.Name, req.User)
	}
	until, ok := ctx.Deadline()
	if !ok {
		f.t.Errorf("%s is asked without a time limit", f.Name)
	}
	f.limits = append(f.limits, time.Until(until))
	return f.answers[min(len(f.limits), len(f.answers))-1](ctx)
}

func (f *fake) Allow() (func(session.Verdict, time.Duration), session.Reason) {
	if len(f.refusals) > 0 {
		reason := f.refusals[0]
		f.refusals = f.refusals[1:]
		if reason != session.OK {
			return nil, reason
		}
	}
	f.permits++
	returned := false
	return func(v session.Verdict, _ time.Duration) {
		if returned {
			f.t.Errorf("%s: a permit came back twice", f.Name)
		}
		returned = true
		f.effects = append(f.effects, v.Effect)
		if v.Cooldown > 0 {
			f.cooldowns = append(f.cooldowns, v.Cooldown)
		}
	}, session.OK
}

func (f *fake) RetryIn() time.Duration { return f.retryIn }
func (f *fake) Closed() bool           { return true }

// asked checks how often the provider was asked, and that every permit came
// back with the effects given.
func (f *fake) asked(effects ...session.Effect) {
	f.t.Helper()
	if f.permits != len(effects) || len(f.limits) != len(effects) || !slices.Equal(f.effects, effects) {
		f.t.Errorf("%s: %d permits, %d attempts, given back with %v; want %v",
			f.Name, f.permits, len(f.limits), f.effects, effects)
	}
}

// rig is a chain of fakes, and the log of its observer.
type rig struct {
	chain.Chain
	t   *testing.T
	log []string
	err error // of the last attempt

	fellBack []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{t: t, Chain: chain.Chain{Deadline: 10 * time.Second}}
}

// add appends a target without retries.
func (r *rig) add(name string, answers ...answer) *fake {
	f := &fake{t: r.t, answers: answers}
	f.Target = &chain.Target{
		Name: name, Provider: f, Breaker: f, Observer: watch{r, name}, Timeout: 3 * time.Second, RetryBudget: chain.NewRetryBudget(),
	}
	r.Targets = append(r.Targets, f.Target)
	return f
}

func (r *rig) run(ctx context.Context) chain.Result {
	return r.Run(ctx, &session.Request{User: "u1", ID: "r1"})
}

// watch is the observer of a target.
type watch struct {
	*rig
	name string
}

func (w watch) Attempted(id string, v session.Verdict, _ time.Duration, err error) {
	if (err == nil) != (v.Reason == session.OK) || id != "r1" {
		w.t.Errorf("%s: reason %q with error %v for request %q", w.name, v.Reason, err, id)
	}
	w.err = err
	w.log = append(w.log, "attempt "+w.name+" "+string(v.Reason))
}

func (w watch) Skipped(reason session.Reason) {
	w.log = append(w.log, "skip "+w.name+" "+string(reason))
}

func (w watch) Retrying() { w.log = append(w.log, "retry "+w.name) }

func (w watch) FellBack(_, servedBy string, reason session.Reason) {
	w.fellBack = append(w.fellBack, w.name+" to "+servedBy+": "+string(reason))
}

func (r *rig) saw(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, want) {
		r.t.Errorf("the observer saw %q, want %q", r.log, want)
	}
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
