package session

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// MaxCooldown bounds how long a provider can ask to be left alone.
const MaxCooldown = 60 * time.Second

// Effect is what an attempt says to the breaker of its provider.
type Effect uint8

// The effects.
const (
	// Excluded attempts say nothing about the provider: the client went away, or
	// the provider refused this caller.
	Excluded Effect = iota
	// Success is a valid answer.
	Success
	// Failed attempts count towards opening the breaker.
	Failed
)

// Verdict is a row of the classification table: what follows from an attempt.
type Verdict struct {
	Reason Reason
	Effect Effect

	// Next reports whether the next provider of the chain may be asked.
	Next bool

	// Retry reports whether the same provider may be asked once more, because
	// the attempt surely did nothing there.
	Retry bool

	// Status is the HTTP status of the answer, 0 where there was none.
	Status int

	// Cooldown is how long to keep the provider out, at most [MaxCooldown].
	Cooldown time.Duration

	// KeyLimit is that of the [Failure]: the cooldown is everybody's.
	KeyLimit bool

	// Carried reports whether the attempt was one to carry a request, whose client
	// reads a refusal itself.
	Carried bool
}

// Abandon returns the verdict on a session attempt whose client left after more than
// half of its time limit. Front ends stop waiting before we do, so a provider that
// hangs would otherwise never fail.
func Abandon() Verdict { return Verdict{Reason: Abandoned, Effect: Failed} }

// Classify is the one classification table, for calls that providers make. For
// carried requests it is [ClassifyCarried]. err is what the provider returned,
// ctx the context of the whole session request, attempt that of this attempt with
// its time limit, and fallbackOn the statuses that go on to the next provider
// (nil: the default list).
func Classify(ctx, attempt context.Context, err error, fallbackOn *StatusSet) Verdict {
	if err == nil {
		return Verdict{Effect: Success}
	}
	f := failureOf(err)
	// The status is a fact about the provider, whoever ran out of time after it.
	if f.Status != 0 && (f.Status < 200 || f.Status > 299) {
		return byStatus(f, fallbackOn)
	}
	return withoutStatus(ctx, attempt, err, f)
}

// failureOf returns what is known of an error.
func failureOf(err error) *Failure {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Err: err}
	}
	return f
}

// withoutStatus judges an attempt that has no answer, or none that was complete.
func withoutStatus(ctx, attempt context.Context, err error, f *Failure) Verdict {
	if f.Reason == Canceled || errors.Is(ctx.Err(), context.Canceled) {
		return Verdict{Reason: Canceled, Effect: Excluded}
	}
	if attempt.Err() != nil {
		return Verdict{Reason: Timeout, Effect: Failed, Next: true}
	}
	reason := f.Reason
	if reason == "" {
		reason = networkReason(err)
	}
	return byReason(reason, f)
}

// byReason judges a failure that carries no HTTP status.
func byReason(reason Reason, f *Failure) Verdict {
	v := Verdict{Reason: reason, Effect: Failed, Next: true}
	switch reason {
	case Rejected:
		v.Effect, v.Next, v.Status = Excluded, false, http.StatusForbidden
	case Canceled:
		v.Effect, v.Next = Excluded, false
	case Dial:
		v.Retry = true
	case Reset:
		v.Retry = !f.Answered
	default:
	}
	v.coolDown(f)
	return v
}

// coolDown takes over how long the provider asked to be left alone.
func (v *Verdict) coolDown(f *Failure) {
	v.Cooldown = min(f.RetryAfter, MaxCooldown)
	v.KeyLimit = f.KeyLimit && v.Cooldown > 0
}

// byStatus judges a failure by the HTTP status of the answer.
func byStatus(f *Failure, fallbackOn *StatusSet) Verdict {
	v := Verdict{Reason: f.Reason, Status: f.Status}
	if v.Reason == "" {
		v.Reason = statusReason(f)
	}
	v.Effect, v.Next = Failed, true
	if v.Reason == Rejected {
		v.Effect, v.Next = Excluded, false
	}
	switch f.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		v.coolDown(f)
	}
	v.Retry = f.Status == http.StatusServiceUnavailable && v.Cooldown <= 0
	return applyFallbackOn(v, fallbackOn)
}

// applyFallbackOn applies the operator's own list of statuses. The list decides where
// the request goes next, not what the answer says about the provider's health:
// a refused caller must not open the breaker for everybody else.
func applyFallbackOn(v Verdict, fallbackOn *StatusSet) Verdict {
	if fallbackOn == nil || v.Status < 400 || v.Status > 599 {
		return v
	}
	v.Next = fallbackOn.Has(v.Status)
	if v.Next && v.Reason == Rejected {
		v.Reason = Status4xx
	}
	return v
}

// statusReason is the status column of the table.
func statusReason(f *Failure) Reason {
	switch s := f.Status; {
	case s == http.StatusRequestTimeout:
		return Status408
	case s == http.StatusTooEarly:
		return Status425
	case s == http.StatusTooManyRequests:
		return Status429
	case s == http.StatusUnauthorized && f.CallerCredentials:
		return Rejected
	case s == http.StatusUnauthorized, s == http.StatusNotFound,
		s == http.StatusMethodNotAllowed, s == http.StatusNotImplemented:
		return Misconfigured
	case s >= 500 && s <= 599:
		return Status5xx
	case s >= 400 && s <= 499:
		return Rejected
	}
	// A redirect, or a status that no HTTP server should send.
	return InvalidResponse
}
