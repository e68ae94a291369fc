package drill

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// LeftOut returns a target as a drill sees it: it is not asked, and its breaker does
// not hear of that. It is no fallback either, for whoever counts those.
func LeftOut(t *chain.Target) *chain.Target {
	out := *t
	out.Breaker, out.Observer = refusing{t.Breaker}, quiet{t.Observer}
	return &out
}

// refusing is a breaker that lets nothing through.
type refusing struct{ chain.Breaker }

// Allow implements [chain.Breaker].
func (refusing) Allow(session.Caller, time.Duration) (func(session.Verdict, time.Duration), session.Reason) {
	return nil, session.Drill
}

// Insist implements [chain.Breaker].
func (refusing) Insist(session.Caller, time.Duration) (func(session.Verdict, time.Duration), session.Reason) {
	return nil, session.Drill
}

// Peek implements [chain.Breaker].
func (refusing) Peek(session.Caller) (reason session.Reason, probe bool) { return session.Drill, false }

// RetryIn implements [chain.Breaker].
func (refusing) RetryIn() time.Duration { return 0 }

// Closed implements [chain.Breaker].
func (refusing) Closed() bool { return false }

// quiet is an observer that tells nobody of a fallback.
type quiet struct{ chain.Observer }

// FellBack implements [chain.Observer].
func (quiet) FellBack(string, string, session.Reason) {}
