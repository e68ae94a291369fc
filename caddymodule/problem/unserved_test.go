package problem

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The status says whose turn it is: the client's to wait, or the operator's to act.
func TestUnserved(t *testing.T) {
	type reasons = []session.Reason
	for _, tt := range []struct {
		name     string
		reasons  reasons
		cooldown time.Duration // of every provider
		retryIn  time.Duration

		status     int
		code       string
		retryAfter time.Duration
		details    string
	}{
		{"one failed", reasons{session.Dial}, 0, 0, 502, CodeSessionError, 0, "P0 unreachable"},
		{"one failed, one open", reasons{session.Status5xx, session.Open}, 0, time.Minute, 502, CodeSessionError, 0, "P0 failed, p1 is unavailable"},
		{"all open", reasons{session.Open, session.ForcedOpen}, 0, time.Minute, 503, CodeSessionError, time.Minute, "P0 is unavailable, p1 is unavailable"},
		{"all open, nobody knows how long", reasons{session.Open}, 0, 0, 503, CodeSessionError, time.Second, "P0 is unavailable"},
		{"the last timed out", reasons{session.Dial, session.Timeout}, 0, 0, 504, CodeSessionError, 0, "P0 unreachable, p1 timed out"},
		{"the last had no time", reasons{session.Timeout, session.Budget}, 0, 0, 504, CodeSessionError, 0, "P0 timed out, p1 skipped: out of time"},
		{"all at their limits", reasons{session.RateLimited, session.Status429}, 0, time.Minute, 429, CodeRateLimited, time.Minute, "P0 is at its limit, p1 is overloaded"},
		{"a cooldown that ends first", reasons{session.Status429}, 2 * time.Second, time.Minute, 429, CodeRateLimited, 2 * time.Second, "P0 is overloaded"},
		{"one at its limit, one failed", reasons{session.RateLimited, session.Reset}, 0, time.Minute, 502, CodeSessionError, 0, "P0 is at its limit, p1 broke off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trail := &chain.Trail{RetryIn: tt.retryIn}
			for i, reason := range tt.reasons {
				trail.Steps = append(trail.Steps, chain.Step{
					Target:  &chain.Target{Name: "p" + strconv.Itoa(i)},
					Verdict: session.Verdict{Reason: reason, Cooldown: tt.cooldown},
				})
			}
			p := Unserved(trail)
			if p.Status != tt.status || p.Code != tt.code || p.RetryAfter != tt.retryAfter || p.Details != tt.details {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// A client that waits as long as it is told comes neither too early nor never.
func TestSetHeaders(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Hour: "3600"} {
		h := make(http.Header)
		(&Problem{RetryAfter: wait, Allow: "POST"}).SetHeaders(h)
		if h.Get("Retry-After") != want || h.Get("Allow") != "POST" || h.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %v", wait, h)
		}
	}
}
