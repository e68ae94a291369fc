package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// providerLink is a provider of a handler: the link of its chains, and the
// pooled gate it has taken.
type providerLink struct {
	chain.Link
	module   string
	provider Provider   // as its module made it
	carried  chain.Link // for what comes after a session, which max_rate does not limit
	models   []string   // it serves no others, where it has any
	key      string     // of the gate in the pool
	entry    *gateEntry
	released sync.Once
}

// release gives the gate back, once.
func (l *providerLink) release() (err error) {
	l.released.Do(func() { _, err = gates.Delete(l.key) })
	return err
}

// nobody is what stands for "no provider" in metrics and logs.
const nobody = "none"

// validName is what a provider may be called: it becomes a metric label, a
// header value and a part of a path.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// checkName returns an error where name cannot be used.
func checkName(name string) error {
	if name == nobody {
		return fmt.Errorf("name: %q is what stands for no provider; choose another", name)
	}
	if !validName.MatchString(name) {
		return fmt.Errorf("name: %q is not 1 to 63 letters, digits, '.', '_' or '-'", name)
	}
	return nil
}

// label is what an error calls the i-th provider before it has a name.
func (c *ProviderConfig) label(i int) string {
	if c.Name != "" {
		return c.Name
	}
	if m := c.module(); m != "" {
		return m
	}
	return fmt.Sprintf("#%d", i+1)
}

// module is the name of the provider's module.
func (c *ProviderConfig) module() string {
	var m struct {
		Module string `json:"module"`
	}
	_ = json.Unmarshal(c.ProviderRaw, &m) // LoadModule tells what is wrong with it
	return m.Module
}

// newProviderLink loads a provider's module and takes its gate. What it takes
// is given back by release; on an error it has taken nothing.
func newProviderLink(ctx caddy.Context, c *ProviderConfig, a *announcer) (*providerLink, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l := &providerLink{module: c.module()}
	if l.module == "" {
		return nil, errors.New("module is missing: which kind of provider, such as backend or openai")
	}
	l.Name = c.Name
	if l.Name == "" {
		l.Name = l.module
	}
	if err := checkName(l.Name); err != nil {
		return nil, err
	}
	key, err := c.poolKey(l.Name)
	if err != nil {
		return nil, err
	}
	if l.Link, err = c.link(ctx, l.Name); err != nil {
		return nil, err
	}
	entry, err := takeGate(key, l.Name, l.module, c, a)
	if err != nil {
		return nil, err
	}
	l.key, l.Gate, l.RetryBudget = key, entry.gate, entry.retries
	l.entry, l.carried = entry, l.Link
	if c.MaxRate != nil {
		l.Gate = cappedGate{Gate: entry.gate, bucket: entry.bucket}
	}
	l.provider, l.models = l.Provider, c.Models
	if len(c.Models) > 0 {
		l.Provider = restricted{Provider: l.provider, models: c.Models}
	}
	return l, nil
}

// link builds everything but the gate.
func (c *ProviderConfig) link(ctx caddy.Context, name string) (l chain.Link, err error) {
	l = chain.Link{
		Name:    name,
		Timeout: orDefault(c.Timeout, defaultTimeout),
		Retries: defaultRetries,
		Backoff: orDefault(c.Backoff, defaultBackoff),
	}
	if c.Retries != nil {
		l.Retries = *c.Retries
	}
	if len(c.FallbackOn) > 0 {
		if l.Onward, err = session.ParseStatusSet(c.FallbackOn); err != nil {
			return l, fmt.Errorf("fallback_on: %w", err)
		}
	}
	mod, err := ctx.LoadModule(c, "ProviderRaw")
	if err != nil {
		return l, err
	}
	p, ok := mod.(Provider)
	if !ok {
		return l, fmt.Errorf("module %T creates no sessions", mod)
	}
	l.Provider = p
	return l, nil
}

// check refuses limits that make no sense.
func (c *ProviderConfig) check() error {
	switch {
	case len(c.ProviderRaw) == 0:
		return errors.New("provider is missing")
	case c.Timeout < 0:
		return fmt.Errorf("timeout: %s is negative", time.Duration(c.Timeout))
	case c.Timeout != 0 && time.Duration(c.Timeout) < chain.MinAttempt:
		return fmt.Errorf("timeout: %s is below %s, the least an attempt is worth", time.Duration(c.Timeout), chain.MinAttempt)
	case c.Backoff < 0:
		return fmt.Errorf("retries: backoff %s is negative", time.Duration(c.Backoff))
	case c.Retries != nil && (*c.Retries < 0 || *c.Retries > maxRetries):
		return fmt.Errorf("retries: %d is not between 0 and %d", *c.Retries, maxRetries)
	}
	if c.MaxRate != nil {
		if err := c.MaxRate.rate().Check(); err != nil {
			return fmt.Errorf("max_rate: %w", err)
		}
	}
	if err := checkModelNames(c.Models); err != nil {
		return err
	}
	if err := c.Breaker.settings().Check(); err != nil {
		return fmt.Errorf("breaker: %w", err)
	}
	return nil
}

// maxRetries is the most retries of one provider within one request.
const maxRetries = 10

// settings are the breaker's settings with the defaults filled in. A negative
// rule is off; a negative time or number is left for the check to refuse.
func (b *BreakerConfig) settings() breaker.Settings {
	s := breaker.Defaults()
	if b == nil {
		return s
	}
	s.Consecutive = rule(b.Consecutive, s.Consecutive)
	s.Ratio = rule(b.Ratio/100, s.Ratio)
	s.MinCalls = set(b.RatioCalls, s.MinCalls)
	s.Window = time.Duration(set(b.RatioWindow, caddy.Duration(s.Window)))
	s.Slow, s.SlowRatio = time.Duration(b.Slow), b.SlowRatio/100
	s.Open = time.Duration(set(b.Open, caddy.Duration(s.Open)))
	s.MaxOpen = time.Duration(set(b.MaxOpen, caddy.Duration(max(s.MaxOpen, s.Open))))
	s.Probes = set(b.Probes, s.Probes)
	return s
}

type number interface{ ~int | ~int64 | ~float64 }

// set is v, or def where v is not set.
func set[T number](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// rule is v, def where v is not set, and 0 (off) where it is negative.
func rule[T number](v, def T) T { return max(set(v, def), 0) }
