package limit

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// limits holds the rate limits of all handlers in use: a reload that leaves a
// handler as it is leaves the counts as they are. Handlers with the same settings
// share one, in which each site has counts of its own.
var limits = caddy.NewUsagePool()

// rateLimit is a rate limit in the pool.
type rateLimit struct{ *ratelimit.Buckets }

// Destruct implements [caddy.Destructor].
func (rateLimit) Destruct() error { return nil }

// Limits are the rate limits of a handler.
type Limits struct {
	PerUser, PerAddress *Limit // nil: no limit

	keys []string // in the pool
}

// Take takes the configured limits from the pool. hash identifies the handler, site
// returns whose counts it uses. Also after an error, what was taken has to be released.
func (l *Limits) Take(configured []RateLimitConfig, hash string, site func() string) error {
	if err := Check(configured); err != nil {
		return err
	}
	for _, c := range configured {
		buckets, err := l.take(c.By+"@"+hash, c.RateConfig)
		if err != nil {
			return err
		}
		if c.By == telemetry.ScopeUser {
			l.PerUser = &Limit{buckets, site, c.By, "user"}
		} else {
			l.PerAddress = &Limit{buckets, site, c.By, "address"}
		}
	}
	return nil
}

// TakeRate takes a further limit from the pool, and returns a function that takes a
// token of a caller, or says how long it will be until there is one. name tells it
// from others of the handler.
func (l *Limits) TakeRate(c RateConfig, name, hash string, site func() string) (func(caller string) time.Duration, error) {
	buckets, err := l.take(name+"@"+hash, c)
	if err != nil {
		return nil, err
	}
	return func(caller string) time.Duration { return buckets.Take(site() + caller) }, nil
}

// take takes buckets from the pool.
func (l *Limits) take(key string, c RateConfig) (*ratelimit.Buckets, error) {
	v, _, err := limits.LoadOrNew(key, func() (caddy.Destructor, error) {
		return rateLimit{ratelimit.NewBuckets(c.Rate(), ratelimit.Size)}, nil
	})
	if err != nil {
		return nil, err
	}
	l.keys = append(l.keys, key)
	shared, ok := v.(rateLimit)
	if !ok {
		return nil, fmt.Errorf("pool holds a %T", v)
	}
	return shared.Buckets, nil
}

// Release gives back what Take took.
func (l *Limits) Release() (errs []error) {
	for _, key := range l.keys {
		if _, err := limits.Delete(key); err != nil {
			errs = append(errs, err)
		}
	}
	l.keys = nil
	return errs
}

// Limit is one of a handler's rate limits. A nil one limits nothing.
type Limit struct {
	buckets      *ratelimit.Buckets
	site         func() string
	scope, whose string
}

// Take refuses a request for which there is no token.
func (l *Limit) Take(key string) *problem.Problem {
	if l == nil {
		return nil
	}
	wait := l.wait(key)
	if wait == 0 {
		return nil
	}
	telemetry.RateLimited(l.scope)
	return tooMany("Too many session requests of this "+l.whose, wait)
}

// wait takes a token and returns 0, or how long it will be until there is one.
func (l *Limit) wait(key string) time.Duration {
	if l == nil {
		return 0
	}
	return l.buckets.Take(l.site() + key)
}

// Network returns what counts as one address: of IPv6 a /64, the least that one
// subscriber has.
func Network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Unmap().Is4() {
		return addr
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.String()
}
