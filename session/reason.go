package session

// Reason says why an attempt failed or was skipped. The enum is closed: logs,
// metrics, response headers and the documentation use these words and no other.
type Reason string

// The reasons, in the order of the classification table.
const (
	// OK is the absence of a reason: the attempt gave a session.
	OK Reason = ""

	Dial            Reason = "dial"
	DNS             Reason = "dns"
	TLS             Reason = "tls"
	Timeout         Reason = "timeout"
	Abandoned       Reason = "abandoned"
	Reset           Reason = "reset"
	Status5xx       Reason = "status_5xx"
	Status408       Reason = "status_408"
	Status425       Reason = "status_425"
	Status429       Reason = "status_429"
	Status4xx       Reason = "status_4xx"
	Misconfigured   Reason = "misconfigured"
	Rejected        Reason = "rejected"
	InvalidResponse Reason = "invalid_response"
	Open            Reason = "open"
	ForcedOpen      Reason = "forced_open"
	Cooldown        Reason = "cooldown"
	Saturated       Reason = "saturated"
	Ramp            Reason = "ramp"
	Drill           Reason = "drill"
	RateLimited     Reason = "rate_limited"
	Hedge           Reason = "hedge"
	FirstToken      Reason = "first_token"
	Budget          Reason = "budget"
	Canceled        Reason = "canceled"
)

// Reasons returns every reason an attempt can end with, without [OK].
func Reasons() []Reason {
	return []Reason{
		Dial, DNS, TLS, Timeout, Abandoned, Reset, Status5xx, Status408, Status425, Status429, Status4xx,
		Misconfigured, Rejected, InvalidResponse, Open, ForcedOpen, Cooldown, Saturated, Ramp, Drill,
		RateLimited, Hedge, FirstToken, Budget, Canceled,
	}
}

// Skipped reports whether the provider was not asked because something stands in
// front of it: its breaker, a cooldown it asked for, a limit of our own, or an
// operator's drill.
func (r Reason) Skipped() bool {
	switch r {
	case Open, ForcedOpen, Cooldown, Saturated, Ramp, Drill, RateLimited:
		return true
	default:
		return false
	}
}

// MovesOn reports whether another provider can have been asked after one that
// ended with r.
func (r Reason) MovesOn() bool {
	return r != Rejected && r != Canceled && r != Abandoned && r != Budget
}

// NoConnection reports whether the provider was not reached at all. No request can
// cause that. Every other failure may come from what one caller has sent.
func (r Reason) NoConnection() bool { return r == Dial || r == DNS || r == TLS }
