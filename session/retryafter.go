package session

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads how long an answer asks to be left alone: from the header
// retry-after-ms (OpenAI), else the longer of Retry-After in seconds or as an
// HTTP date (RFC 9110, 10.2.3) and X-RateLimit-RetryAfter in seconds, fractions
// allowed (Sendbird). It returns 0 where there is none or none is valid.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if d := seconds(h.Get("Retry-After-Ms"), time.Millisecond); d > 0 {
		return d
	}
	return max(standard(h.Get("Retry-After"), now), seconds(h.Get("X-Ratelimit-Retryafter"), time.Second))
}

// standard parses Retry-After. It returns 0 for an invalid one.
func standard(v string, now time.Time) time.Duration {
	if d := seconds(v, time.Second); d > 0 {
		return d
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// seconds parses a positive number of units. It returns 0 for anything else.
func seconds(v string, unit time.Duration) time.Duration {
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f <= 0 {
		return 0
	}
	// Anything longer is capped by MaxCooldown; this only keeps the product
	// inside what a Duration holds.
	return time.Duration(min(f, 1e9) * float64(unit))
}
