package chain

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Step is a provider that did not serve a request, and why.
type Step struct {
	Target  *Target
	Verdict session.Verdict

	// Err is the error of the attempt, for logs. It is nil where there was none.
	Err error
}

// Trail holds the providers that did not serve a request, in order.
type Trail struct {
	Steps []Step

	// RetryIn is the shortest wait until a skipped provider may be asked.
	RetryIn time.Duration

	skipped bool
}

// EndsAt makes the i-th step the last one: the one that the client is told about.
func (t *Trail) EndsAt(i int) {
	last := t.Steps[i]
	copy(t.Steps[i:], t.Steps[i+1:])
	t.Steps[len(t.Steps)-1] = last
}

// Add adds a provider. retryIn counts where it was skipped: how long it will not
// be asked.
func (t *Trail) Add(s Step, retryIn time.Duration) {
	t.Steps = append(t.Steps, s)
	t.note(s, retryIn)
}

// Replace replaces the i-th provider, which was skipped, by what became of it when it
// was asked after all.
func (t *Trail) Replace(i int, s Step, retryIn time.Duration) {
	t.Steps[i] = s
	t.note(s, retryIn)
}

func (t *Trail) note(s Step, retryIn time.Duration) {
	if !s.Verdict.Reason.Skipped() {
		return
	}
	if !t.skipped || retryIn < t.RetryIn {
		t.RetryIn, t.skipped = retryIn, true
	}
}

// Reason returns why the first provider did not serve, [session.OK] if it did.
func (t *Trail) Reason() session.Reason {
	if len(t.Steps) == 0 {
		return session.OK
	}
	return t.Steps[0].Verdict.Reason
}

// Last returns the step that ended the chain where nobody served.
func (t *Trail) Last() Step {
	if len(t.Steps) == 0 {
		return Step{}
	}
	return t.Steps[len(t.Steps)-1]
}

// Result is what became of one session request.
type Result struct {
	// Session is valid where Served is not nil.
	Session session.Session

	// Served is the provider whose session it is, nil where there is none.
	Served *Target

	// Trail holds the providers before it. Where nobody served, the last one
	// decides what the client is told.
	Trail

	// Upstream is the time spent waiting for providers and backoffs.
	Upstream time.Duration
}

// Fallback reports whether another provider than the first one served.
func (r *Result) Fallback() bool { return r.Served != nil && len(r.Steps) > 0 }
