package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/limit"
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
	bucket  *limit.Bucket // nil: no limit

	seq    atomic.Int64
	logger atomic.Pointer[zap.Logger] // of the newest configuration
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
func takeGate(key, name, module string, c *ProviderConfig, logger *zap.Logger) (*gateEntry, error) {
	v, _, err := gates.LoadOrNew(key, func() (caddy.Destructor, error) {
		e := &gateEntry{key: key, name: name, module: module, retries: chain.NewRetryBudget()}
		e.gate = breaker.New(c.Breaker.settings(), e.changed)
		if c.MaxRate != nil {
			e.bucket = limit.NewBucket(c.MaxRate.rate())
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
	e.logger.Store(logger)
	e.seq.Store(gateSeq.Add(1))
	return e, nil
}

// changed tells operators that the breaker has changed its state.
func (e *gateEntry) changed(c breaker.Change) {
	metrics.transitions.WithLabelValues(e.name, string(c.From), string(c.To)).Inc()
	log := e.logger.Load().Info
	if c.To == breaker.Open {
		log = e.logger.Load().Warn
	}
	log("breaker changed", zap.String("provider", e.name),
		zap.String("from", string(c.From)), zap.String("to", string(c.To)))
}
