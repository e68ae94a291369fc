package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// gates holds the breakers of all providers in use. A reload takes the gates of
// the new configuration before it gives back those of the old one, so a
// provider that has not changed keeps its breaker.
var gates = caddy.NewUsagePool()

// gateSeq orders gates by when they were last taken.
var gateSeq atomic.Int64

// gateEntry is a breaker in the pool, with what belongs to the same provider
// and has to live as long.
type gateEntry struct {
	key, name, module string

	gate    *breaker.Gate
	retries *chain.RetryBudget
	bucket  *ratelimit.Bucket // nil: no limit

	seq       atomic.Int64
	announcer atomic.Pointer[announcer] // of the newest configuration
	last      atomic.Pointer[lastFailure]
	lines     throttle
}

// Destruct implements [caddy.Destructor].
func (*gateEntry) Destruct() error { return nil }

// poolKey identifies a provider: its name and a hash of all its settings as
// they stand in the configuration, placeholders unexpanded.
func (c *ProviderConfig) poolKey(name string) (string, error) {
	settings, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("hashing settings: %w", err)
	}
	sum := sha256.Sum256(settings)
	return name + "@" + hex.EncodeToString(sum[:8]), nil
}

// takeGate takes a gate from the pool, and makes it where nobody has it.
func takeGate(key, name, module string, c *ProviderConfig, a *announcer) (*gateEntry, error) {
	v, known, err := gates.LoadOrNew(key, func() (caddy.Destructor, error) {
		e := &gateEntry{key: key, name: name, module: module, retries: chain.NewRetryBudget()}
		e.announcer.Store(a)
		e.gate = breaker.New(c.Breaker.settings(), e.changed)
		if c.MaxRate != nil {
			e.bucket = ratelimit.NewBucket(c.MaxRate.rate())
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	e, ok := v.(*gateEntry)
	if !ok {
		return nil, fmt.Errorf("pool holds a %T", v)
	}
	e.announcer.Store(a)
	e.seq.Store(gateSeq.Add(1))
	if !known {
		e.adopt()
	}
	return e, nil
}

// adopt takes over what an operator has forced, where a reload has changed the
// settings of a provider and so gives it a new breaker. Where several of the name
// are in use nobody can tell whose it is.
func (e *gateEntry) adopt() {
	var others []*gateEntry
	gates.Range(func(_, value any) bool {
		if o, ok := value.(*gateEntry); ok && o != e && o.name == e.name {
			others = append(others, o)
		}
		return true
	})
	if len(others) != 1 {
		return
	}
	if f := others[0].gate.Forced(); f != nil {
		e.gate.Force(*f)
	}
}
