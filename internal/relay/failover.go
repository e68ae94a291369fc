package relay

import (
	"fmt"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Failover says which failures before the first byte of an answer move a
// request to the next backend. A chat message is not idempotent: one that may
// have been started must not be sent twice by default.
type Failover string

// The policies.
const (
	// Safe moves only what a backend surely did not start: no connection, 503, 429
	// where fallback_on names it, or not asked because of its breaker.
	Safe Failover = "safe"
	// Any moves every failure.
	Any Failover = "any"
	// Off moves nothing.
	Off Failover = "off"
)

// ParseFailover reads a policy, Safe for "".
func ParseFailover(s string) (Failover, error) {
	switch f := Failover(s); f {
	case "":
		return Safe, nil
	case Safe, Any, Off:
		return f, nil
	}
	return "", fmt.Errorf("invalid failover %q (want safe, any or off)", s)
}

// moves reports whether a request that ended with v may go to the next backend.
func (f Failover) moves(v session.Verdict) bool {
	switch {
	case f == Off || !v.Next:
		return false
	case f == Any || v.Reason.Skipped():
		return true
	}
	switch v.Reason {
	case session.Dial, session.DNS, session.TLS:
		return true
	default:
		return v.Status == http.StatusServiceUnavailable || v.Status == http.StatusTooManyRequests
	}
}
