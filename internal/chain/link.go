package chain

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Link is one provider of a chain with its own limits.
type Link struct {
	// Name is the configured name of the provider.
	Name string

	Provider Provider
	Gate     Gate

	// Timeout is the longest one attempt may take.
	Timeout time.Duration

	// Retries is how often the provider is asked again after an attempt that
	// surely did nothing, Backoff the longest wait before the first of them.
	Retries int
	Backoff time.Duration

	// RetryBudget bounds the retries of all requests together.
	RetryBudget *RetryBudget

	// Onward are the statuses that go on to the next provider, nil for the
	// default list.
	Onward *session.StatusSet
}

// Step is a provider that did not serve a request, and why.
type Step struct {
	Link    *Link
	Verdict session.Verdict
}

// Result is what became of one session request.
type Result struct {
	// Session is valid where Served is not nil.
	Session session.Session

	// Served is the provider whose session it is, nil where there is none.
	Served *Link

	// Trail holds the providers before it that did not serve, in order. Where
	// nobody served, the last one decides what the client is told.
	Trail []Step

	// Upstream is the time spent waiting for providers and backoffs.
	Upstream time.Duration

	// RetryIn is the shortest wait until a skipped provider may be asked.
	RetryIn time.Duration
}

// Fallback tells whether somebody else than the first provider served.
func (r *Result) Fallback() bool { return r.Served != nil && len(r.Trail) > 0 }

// Reason is why the first provider did not serve, [session.OK] if it did.
func (r *Result) Reason() session.Reason {
	if len(r.Trail) == 0 {
		return session.OK
	}
	return r.Trail[0].Verdict.Reason
}

// Last is the step that ended the chain, where nobody served.
func (r *Result) Last() Step {
	if len(r.Trail) == 0 {
		return Step{}
	}
	return r.Trail[len(r.Trail)-1]
}
