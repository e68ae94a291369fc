package hedge

import "time"

// P95 is the time of a policy that goes by the provider's own answers.
const P95 time.Duration = 0

// Result is what became of a hedge, as a metric label.
type Result string

// The results of hedges.
const (
	Won      Result = "won"      // the other provider's session was served
	Lost     Result = "lost"     // the first one answered after all, or refused the caller
	Failed   Result = "failed"   // the other provider gave no session
	Canceled Result = "canceled" // the client left
	Capped   Result = "capped"   // not asked: too many hedges
	Refused  Result = "refused"  // won, and then the first one refused the caller
)

// Results returns all of them.
func Results() []Result { return []Result{Won, Lost, Failed, Canceled, Capped, Refused} }

// Policy is when a provider's requests are hedged. It is safe for concurrent use.
type Policy struct {
	fixed  time.Duration
	recent *recent // nil: the time is fixed
	share  share
}

// New returns a policy with a fixed time, or with [P95].
func New(after time.Duration) *Policy {
	p := &Policy{fixed: after}
	if after == P95 {
		p.recent = newRecent(time.Now())
	}
	return p
}

// After returns how long to wait for the provider. ok is false while too few answers
// are known.
func (p *Policy) After() (d time.Duration, ok bool) {
	if p.recent == nil {
		return p.fixed, true
	}
	return p.recent.p95(time.Now())
}

// Answered notes how long an answer of the provider took.
func (p *Policy) Answered(took time.Duration) {
	if p.recent != nil {
		p.recent.add(time.Now(), took)
	}
}

// Asked notes a request to the provider.
func (p *Policy) Asked() { p.share.asked(time.Now()) }

// Take reports whether a request may be hedged now, and counts it if so.
func (p *Policy) Take() bool { return p.share.take(time.Now()) }

// Share returns the part of the latest requests that were hedged, from 0 to 1.
func (p *Policy) Share() float64 { return p.share.now(time.Now()) }
