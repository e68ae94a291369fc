package chain

import (
	"context"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Provider creates sessions. Create must be safe for concurrent use and return
// soon after ctx is done. An error is best a [*session.Failure]; any other is
// taken for an error of the transport.
type Provider interface {
	Create(ctx context.Context, req *session.Request) (session.Session, error)
}

// Gate is the breaker of a provider.
type Gate interface {
	// Allow gives a permit, to be returned by calling done exactly once, or
	// the reason why not.
	Allow() (done func(session.Effect, time.Duration), reason session.Reason)

	// CoolDown keeps the provider out for d; it never shortens a cooldown.
	CoolDown(d time.Duration)

	// RetryIn returns how long no permit will be given, 0 if unknown.
	RetryIn() time.Duration
}

// Observer is told of every step. Its methods are called on the request's
// goroutine and must be quick.
type Observer interface {
	// Attempted is called after each call to a provider. err is its cause
	// where it failed, for logs.
	Attempted(l *Link, v session.Verdict, took time.Duration, err error)

	// Skipped is called for a provider that was not asked.
	Skipped(l *Link, reason session.Reason)

	// Retrying is called before the same provider is asked once more.
	Retrying(l *Link)
}
