// Package chaintest holds what the tests of the chain and of the relay share: a
// breaker and an observer that keep what they are told. Only tests import it.
package chaintest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Each runs a test for each of the cases, with a clock of its own.
func Each[C any](t *testing.T, cases map[string]C, test func(t *testing.T, c C)) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, c) })
		})
	}
}

// Breaker is a [chain.Breaker] that refuses what the test says.
type Breaker struct {
	T *testing.T

	// Refusals are those of one permit after the other, [session.OK] for none.
	// The last one repeats.
	Refusals []session.Reason

	// Probing is what Peek says of a permit.
	Probing bool

	// Wait is what RetryIn returns.
	Wait time.Duration

	// Permits is how many were given, Effects are those of the permits given
	// back, in order.
	Permits   int
	Effects   []session.Effect
	Cooldowns []time.Duration

	mu sync.Mutex
}

// Allow implements [chain.Breaker].
func (b *Breaker) Allow(session.Caller, time.Duration) (done func(session.Verdict, time.Duration), reason session.Reason) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.Refusals) > 0 {
		reason = b.Refusals[0]
		b.Refusals = b.Refusals[min(1, len(b.Refusals)-1):]
	}
	if reason != session.OK {
		return nil, reason
	}
	b.Permits++
	returned := false
	return func(v session.Verdict, _ time.Duration) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if returned {
			b.T.Error("a permit came back twice")
		}
		returned = true
		b.Effects = append(b.Effects, v.Effect)
		if v.Cooldown > 0 {
			b.Cooldowns = append(b.Cooldowns, v.Cooldown)
		}
	}, session.OK
}

// Insist implements [chain.Breaker].
func (b *Breaker) Insist(who session.Caller, life time.Duration) (done func(session.Verdict, time.Duration), reason session.Reason) {
	for len(b.Refusals) > 1 && b.Refusals[0] == session.Ramp {
		b.Refusals = b.Refusals[1:]
	}
	if len(b.Refusals) == 1 && b.Refusals[0] == session.Ramp {
		b.Refusals = nil
	}
	return b.Allow(who, life)
}

// Saw implements [chain.Breaker].
func (*Breaker) Saw(session.Caller) {}

// Peek implements [chain.Breaker].
func (b *Breaker) Peek(session.Caller) (reason session.Reason, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.Refusals) > 0 && b.Refusals[0] != session.Ramp {
		reason = b.Refusals[0]
	}
	return reason, b.Probing
}

// RetryIn implements [chain.Breaker].
func (b *Breaker) RetryIn() time.Duration { return b.Wait }

// Closed implements [chain.Breaker].
func (*Breaker) Closed() bool { return true }

// Asked checks that each of the attempts had a permit, and that every permit came
// back with the effects given.
func (b *Breaker) Asked(name string, attempts int, effects ...session.Effect) {
	b.T.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Permits != len(effects) || attempts != len(effects) || !slices.Equal(b.Effects, effects) {
		b.T.Errorf("%s: %d permits, %d attempts, given back with %v; want %v", name, b.Permits, attempts, b.Effects, effects)
	}
}

// Log is what the observers of a request's targets have seen. The request's id
// is r1.
type Log struct {
	T        *testing.T
	Lines    []string
	FellBack []string
	Err      error // of the last attempt

	mu sync.Mutex
}

// Observer returns the observer of a target.
func (l *Log) Observer(name string) chain.Observer { return observer{l, name} }

// Saw checks the lines.
func (l *Log) Saw(want ...string) {
	l.T.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.Lines, want) {
		l.T.Errorf("the observer saw %q, want %q", l.Lines, want)
	}
}

type observer struct {
	*Log
	name string
}

func (o observer) line(s string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Lines = append(o.Lines, s)
}

// called is the key of the name of the target in the context of a call.
type called struct{}

// Asking implements [chain.Observer].
func (o observer) Asking(ctx context.Context, _ int, _ bool) context.Context {
	return context.WithValue(ctx, called{}, o.name)
}

// Attempted implements [chain.Observer].
func (o observer) Attempted(ctx context.Context, id string, v session.Verdict, _ time.Duration, err error) {
	if ctx.Value(called{}) != o.name {
		o.T.Errorf("%s: told of an attempt that it was not asked about", o.name)
	}
	if (err == nil) != (v.Reason == session.OK) || id != "r1" {
		o.T.Errorf("%s: reason %q with error %v for request %q", o.name, v.Reason, err, id)
	}
	o.mu.Lock()
	o.Err = err
	o.mu.Unlock()
	o.line("attempt " + o.name + " " + string(v.Reason))
}

// Hedged implements [chain.Observer].
func (o observer) Hedged(r hedge.Result) { o.line("hedge " + o.name + " " + string(r)) }

// Withdrew implements [chain.Observer].
func (o observer) Withdrew(_, servedBy string) { o.line("withdraw " + o.name + " " + servedBy) }

// Skipped implements [chain.Observer].
func (o observer) Skipped(_ context.Context, reason session.Reason) {
	o.line("skip " + o.name + " " + string(reason))
}

// Retrying implements [chain.Observer].
func (o observer) Retrying() { o.line("retry " + o.name) }

// FellBack implements [chain.Observer].
func (o observer) FellBack(_, servedBy string, reason session.Reason) {
	o.Log.FellBack = append(o.Log.FellBack, o.name+" to "+servedBy+": "+string(reason))
}

// Silent is an observer that keeps nothing, so that many requests may share it.
type Silent struct{}

// Asking implements [chain.Observer].
func (Silent) Asking(ctx context.Context, _ int, _ bool) context.Context { return ctx }

// Attempted implements [chain.Observer].
func (Silent) Attempted(context.Context, string, session.Verdict, time.Duration, error) {}

// Hedged implements [chain.Observer].
func (Silent) Hedged(hedge.Result) {}

// Withdrew implements [chain.Observer].
func (Silent) Withdrew(string, string) {}

// Skipped implements [chain.Observer].
func (Silent) Skipped(context.Context, session.Reason) {}

// Retrying implements [chain.Observer].
func (Silent) Retrying() {}

// FellBack implements [chain.Observer].
func (Silent) FellBack(string, string, session.Reason) {}
