package chain

import (
	"context"
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Target is a configured provider: the provider, the limits under which it is
// asked, and what stands around it. It is safe for concurrent use.
type Target struct {
	// Name is the configured name of the provider.
	Name string

	Provider session.Provider
	Breaker  Breaker
	Observer Observer

	// Timeout is the longest one attempt may take.
	Timeout time.Duration

	// Retries is how often the provider is asked again after an attempt that
	// surely did nothing, Backoff the longest wait before the first of them.
	Retries int
	Backoff time.Duration

	// Schedule is the exact wait before the first retry, which doubles with each, 0 for
	// a random wait by Backoff.
	Schedule time.Duration

	// RetryBudget bounds the retries of all requests together.
	RetryBudget *RetryBudget

	// FallbackOn are the statuses that go on to the next provider, nil for the
	// default list.
	FallbackOn *session.StatusSet

	// Models are the models that the provider serves, nil for any.
	Models []string

	// Cap bounds how many sessions it is asked for, nil for no bound.
	Cap Cap

	// Hedge says when the next provider is asked as well, nil for never.
	Hedge *hedge.Policy

	// Orphans keeps the sessions that nobody gets until they are canceled by Discard,
	// which is nil where the provider cannot. A chain with a Hedge needs Orphans of each
	// of its targets.
	Orphans *orphan.Keeper
	Discard func(ctx context.Context, s *session.Session, requestID string) error

	// Late says that a call goes on after its time limit, and when the client has left,
	// so that its session can be canceled. It costs a goroutine for each call.
	Late bool

	// Detach returns a context with what a call needs of the request's, for a call that
	// may outlive it. Nil: everything.
	Detach func(context.Context) context.Context

	// Places bounds how many attempts are under way at once, nil for no bound.
	Places Places
}

// Breaker is the circuit breaker of a provider.
type Breaker interface {
	// Allow gives who a permit, to be returned by calling done exactly once, or the
	// reason why there is none. After life (0: never) a half-open breaker takes back
	// a permit that has not come back. took is 0 for a call that cannot be slow.
	Allow(who session.Caller, life time.Duration) (done func(v session.Verdict, took time.Duration), reason session.Reason)

	// Insist is Allow for who has nowhere else to go: a ramp does not refuse it.
	Insist(who session.Caller, life time.Duration) (done func(v session.Verdict, took time.Duration), reason session.Reason)

	// Saw notes that who is there and asks another provider before this one.
	Saw(who session.Caller)

	// Peek returns what Insist would say now, without a permit. probe reports that
	// the permit would be one of a half-open breaker's few.
	Peek(who session.Caller) (reason session.Reason, probe bool)

	// RetryIn returns how long no permit will be given, 0 if one may be given
	// now.
	RetryIn() time.Duration

	// Closed reports whether an ordinary request gets through.
	Closed() bool
}

// Cap is a bucket of tokens, one for each session that is asked for.
type Cap interface {
	// Take takes a token, or returns how long it will be until there is one.
	Take() (wait time.Duration)

	// Wait returns how long it will be until there is a token.
	Wait() time.Duration
}

// Observer is told what happens to one provider. Its methods are called on the
// goroutine that asks, also after the request is over, and must be quick.
type Observer interface {
	// Asking is called before each call to the provider. It returns the context for the
	// call, which may say more than ctx. n is 1 for the first call of a request. hedged
	// says that another provider is being asked at the same time.
	Asking(ctx context.Context, n int, hedged bool) context.Context

	// Attempted is called after each call to the provider, with the context that Asking
	// has returned. err is its cause where it failed, for logs.
	Attempted(ctx context.Context, requestID string, v session.Verdict, took time.Duration, err error)

	// Skipped is called where the provider was not asked. ctx is that of the request.
	Skipped(ctx context.Context, reason session.Reason)

	// Hedged is called with what became of asking another provider as well.
	Hedged(result hedge.Result)

	// Withdrew is called where the provider has refused a caller who had got a session of
	// another one as a hedge by then.
	Withdrew(requestID, servedBy string)

	// Retrying is called before the provider is asked again.
	Retrying()

	// FellBack is called on the first provider of a chain where another one
	// served. reason is why the first did not.
	FellBack(requestID, servedBy string, reason session.Reason)
}

// Serves reports whether the provider serves a model.
func (t *Target) Serves(model string) bool {
	return len(t.Models) == 0 || slices.Contains(t.Models, model)
}

// create asks the provider for a session. A model that it does not serve is
// removed from the request, so that it uses its default.
func (t *Target) create(ctx context.Context, req *session.Request) (s session.Session, err error) {
	if req.Model != "" && !t.Serves(req.Model) {
		r := *req
		r.Model = ""
		req = &r
	}
	if s, err = t.Provider.Create(ctx, req); err == nil {
		err = s.Check(time.Now())
	}
	if err != nil {
		return session.Session{}, err
	}
	return s, nil
}

// wouldAsk reports whether the provider would be asked for a session now.
func (t *Target) wouldAsk(who session.Caller) bool {
	reason, _ := t.Breaker.Peek(who)
	return reason == session.OK && (t.Cap == nil || t.Cap.Wait() == 0) && (t.Places == nil || t.Places.Room(who))
}

// retryIn is how long the provider will not be asked for a session.
func (t *Target) retryIn() time.Duration {
	if t.Cap == nil {
		return t.Breaker.RetryIn()
	}
	return max(t.Breaker.RetryIn(), t.Cap.Wait())
}
