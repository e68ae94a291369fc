package registry

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/tally"
)

// providers are the providers in use, by name and settings. A reload takes those
// of the new configuration before it gives back those of the old one, so one that
// has not changed lives on.
var providers = caddy.NewUsagePool()

// overrides are what operators have forced, by the name of the provider. Each is
// held by the providers of the name.
var overrides = caddy.NewUsagePool()

// override is a forced state in the pool.
type override struct{ *breaker.Override }

// Destruct implements [caddy.Destructor].
func (o override) Destruct() error {
	o.Close()
	return nil
}

// Settings are the settings of a provider, as far as the registry has to know.
type Settings struct {
	// Name and Module are the provider's name and that of its module.
	Name, Module string

	// Hash identifies all settings of the provider.
	Hash string

	Breaker breaker.Settings

	// MaxRate bounds how many sessions it is asked for, nil for no bound.
	MaxRate *ratelimit.Rate
}

func (s *Settings) key() string { return s.Name + "@" + s.Hash }

// take takes a provider from the pool, and makes it if nobody has it.
func take(s Settings) (*Provider, error) {
	v, _, err := providers.LoadOrNew(s.key(), func() (caddy.Destructor, error) { return newProvider(s) })
	if err != nil {
		return nil, err
	}
	p, ok := v.(*Provider)
	if !ok {
		return nil, fmt.Errorf("pool has a %T", v)
	}
	return p, nil
}

func newProvider(s Settings) (*Provider, error) {
	v, _, err := overrides.LoadOrNew(s.Name, func() (caddy.Destructor, error) {
		return override{breaker.NewOverride()}, nil
	})
	if err != nil {
		return nil, err
	}
	o, ok := v.(override)
	if !ok {
		return nil, fmt.Errorf("pool has a %T", v)
	}
	p := &Provider{Name: s.Name, Module: s.Module, RetryBudget: chain.NewRetryBudget(), key: s.key(), override: o.Override}
	p.tally = tally.New()
	p.Breaker = breaker.New(s.Breaker, o.Override, p.changed)
	p.tally.Begin(string(p.Breaker.State()))
	if s.MaxRate != nil {
		p.Cap = ratelimit.NewBucket(*s.MaxRate)
	}
	return p, nil
}

// Destruct implements [caddy.Destructor]: no configuration has the provider any
// more.
func (p *Provider) Destruct() error {
	p.Breaker.Close()
	_, err := overrides.Delete(p.Name)
	return err
}
