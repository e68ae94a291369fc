package problem

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Rejected is the problem for a caller that a provider refused.
func Rejected(title string, last chain.Step) *Problem {
	return &Problem{Status: last.Verdict.Status, Code: CodeRejected, Title: title,
		Details: Capitalized(last.Target.Name) + " refused this request"}
}

// Unserved is the problem of a request that every provider failed or skipped.
func Unserved(trail *chain.Trail) *Problem {
	p := &Problem{Status: http.StatusBadGateway, Code: CodeSessionError, Title: SessionFailed, Details: describe(trail)}
	skipped, full, limited := true, true, false
	var cooldown time.Duration
	for _, s := range trail.Steps {
		reason := s.Verdict.Reason
		skipped = skipped && reason.Skipped()
		limited = limited || reason == session.Status429 || reason == session.RateLimited
		full = full && (reason == session.Status429 || reason == session.RateLimited || reason == session.Cooldown)
		cooldown = soonest(cooldown, s.Verdict.Cooldown)
	}
	switch {
	case full && limited:
		p.Status, p.Code, p.Title = http.StatusTooManyRequests, CodeRateLimited, "Too many requests"
		p.RetryAfter = max(soonest(cooldown, trail.RetryIn), time.Second)
	case skipped:
		p.Status = http.StatusServiceUnavailable
		p.RetryAfter = max(trail.RetryIn, time.Second)
	case trail.Last().Verdict.Reason == session.Timeout, trail.Last().Verdict.Reason == session.Budget:
		p.Status = http.StatusGatewayTimeout
	}
	return p
}

// soonest is the shorter of two waits, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// reasonText says in words what a reason means.
var reasonText = map[session.Reason]string{
	session.Dial:            "unreachable",
	session.DNS:             "unreachable",
	session.TLS:             "unreachable",
	session.Timeout:         "timed out",
	session.Reset:           "broke off",
	session.Status5xx:       "failed",
	session.Status408:       "is overloaded",
	session.Status425:       "is overloaded",
	session.Status429:       "is overloaded",
	session.Status4xx:       "refused",
	session.Misconfigured:   "is misconfigured",
	session.InvalidResponse: "gave no valid session",
	session.Open:            "is unavailable",
	session.ForcedOpen:      "is unavailable",
	session.Cooldown:        "is unavailable",
	session.Saturated:       "is busy",
	session.Ramp:            "is recovering",
	session.Drill:           "was left out for a drill",
	session.RateLimited:     "is at its limit",
	session.Hedge:           "was too slow",
	session.FirstToken:      "was too slow",
	session.Budget:          "skipped: out of time",
	session.Canceled:        "could not be asked",
}

// describe says why each provider did not serve.
func describe(trail *chain.Trail) string {
	parts := make([]string, len(trail.Steps))
	for i, s := range trail.Steps {
		parts[i] = s.Target.Name + " " + reasonText[s.Verdict.Reason]
	}
	return Capitalized(strings.Join(parts, ", "))
}

// Capitalized returns s, the name of a provider, as the beginning of a sentence.
func Capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
