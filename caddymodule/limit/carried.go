package limit

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// MaxStreamsConfig limits how many carried requests somebody may have open at once.
type MaxStreamsConfig struct {
	// Who: "user" or "ip", as in rate_limits.
	By string `json:"by"`

	// How many. At least 1.
	Streams int `json:"streams"`
}

// String returns the limit as it stands in a Caddyfile.
func (c MaxStreamsConfig) String() string { return fmt.Sprintf("%s %d", c.By, c.Streams) }

// CheckMaxStreams returns an error for invalid limits.
func CheckMaxStreams(limits []MaxStreamsConfig) error {
	seen := make(map[string]bool)
	for _, c := range limits {
		if err := checkScope("max_streams", c.By, seen); err != nil {
			return err
		}
		if c.Streams < 1 {
			return fmt.Errorf("max_streams %s: %d is too low (minimum 1)", c.By, c.Streams)
		}
	}
	return nil
}

// open are the carried requests of the process that are open, by site and caller. They
// stay open when a reload replaces their handler.
var open ratelimit.Open

// retryOpen is when to come back where too many requests are open: nobody knows when
// one of them ends.
const retryOpen = 5 * time.Second

// Carried are the limits of a handler's carried requests. The zero value limits
// nothing.
type Carried struct {
	perUser, perAddress *Limit
	open                []MaxStreamsConfig
	site                func() string
}

// TakeCarried takes the limits of carried requests from the pool, as Take does those of
// session requests.
func (l *Limits) TakeCarried(rates []RateLimitConfig, streams []MaxStreamsConfig, hash string, site func() string) (c Carried, err error) {
	if err := Check(rates); err != nil {
		return c, fmt.Errorf("stream: %w", err)
	}
	if err := CheckMaxStreams(streams); err != nil {
		return c, err
	}
	c.open, c.site = slices.Clone(streams), site
	for _, r := range rates {
		buckets, err := l.take("stream "+r.By+"@"+hash, r.RateConfig)
		if err != nil {
			return c, err
		}
		if r.By == telemetry.ScopeUser {
			c.perUser = &Limit{buckets, site, "", "user"}
		} else {
			c.perAddress = &Limit{buckets, site, "", "address"}
		}
	}
	return c, nil
}

// ByAddress reports whether addresses are counted.
func (c *Carried) ByAddress() bool {
	return c.perAddress != nil || slices.ContainsFunc(c.open, func(o MaxStreamsConfig) bool { return o.By == telemetry.ScopeIP })
}

// Refused is the error of a carried request that is over a limit.
type Refused struct {
	// Limit is "rate_limit" or "max_streams".
	Limit string
	// Problem is the answer.
	Problem *problem.Problem
}

// Error implements error.
func (r *Refused) Error() string { return r.Problem.Details }

// Admit takes a place and a token for a request of a caller. user is "" for somebody
// without an account, who counts by the address. leave is never nil, and gives the
// place back.
func (c *Carried) Admit(user, address string) (leave func(), refused *Refused) {
	leave = func() {}
	who := "user " + user
	if user == "" {
		who = "address " + address
	}
	for _, o := range c.open {
		key, whose := who, "user"
		if o.By == telemetry.ScopeIP {
			key, whose = address, "address"
		}
		out := open.Enter(c.site()+"\x00"+o.By+"\x00"+key, o.Streams)
		if out == nil {
			leave()
			return func() {}, &Refused{telemetry.LimitMaxStreams, tooMany("Too many open requests of this "+whose, retryOpen)}
		}
		before := leave
		leave = func() { out(); before() }
	}
	for _, l := range []struct {
		*Limit

		key string
	}{{c.perAddress, address}, {c.perUser, who}} {
		if wait := l.wait(l.key); wait > 0 {
			leave()
			return func() {}, &Refused{telemetry.LimitRate, tooMany("Too many requests of this "+l.whose, wait)}
		}
	}
	return leave, nil
}

func tooMany(details string, wait time.Duration) *problem.Problem {
	return &problem.Problem{Status: http.StatusTooManyRequests, Code: problem.CodeRateLimited, Title: "Too many requests",
		Details: details, RetryAfter: wait}
}
