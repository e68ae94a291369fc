package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Who alone reaches a provider, because all before it fail for him only, is not alone
// where others are there. Where nobody else is, his failures are all there is to go by.
func TestSeenElsewhere(t *testing.T) {
	for name, tt := range map[string]struct {
		seen session.Caller
		want breaker.State
	}{
		"somebody else":    {session.Caller{Address: "192.0.2.9"}, breaker.Closed},
		"the same address": {session.Caller{Address: "192.0.2.1"}, breaker.Open},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, settings())
				for range 5 {
					r.Saw(tt.seen)
					done, reason := r.Allow(session.Caller{Address: "192.0.2.1"}, 0)
					if reason != session.OK {
						t.Fatalf("refused: %s", reason)
					}
					done(session.Verdict{Effect: session.Failed, Reason: session.Status5xx}, time.Millisecond)
				}
				r.is(tt.want)
			})
		})
	}
}
