package standby

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Provision loads the stand-ins of a route, in the order they are asked. Their state comes from the registry, when
// the configuration starts.
func Provision(ctx caddy.Context, configured []*StandInConfig, app *registry.App, site func() registry.Site) (Chain, error) {
	if err := Check(configured); err != nil {
		return nil, err
	}
	standIns := make(Chain, len(configured))
	for i, c := range configured {
		s, err := c.provision(ctx, app, site)
		if err != nil {
			return nil, fmt.Errorf("standin %s: %w", c.label(i), err)
		}
		standIns[i] = s
	}
	standIns.arrange()
	return standIns, nil
}

// Check refuses names that stand twice in one route.
func Check(configured []*StandInConfig) error {
	seen := make(map[string]bool, len(configured))
	for i, c := range configured {
		name := c.label(i)
		if seen[name] {
			return fmt.Errorf("standin name %q is given twice", name)
		}
		seen[name] = true
	}
	return nil
}

// label is what an error calls the i-th stand-in.
func (c *StandInConfig) label(i int) string {
	return cmp.Or(c.Name, c.module(), fmt.Sprintf("#%d", i+1))
}

// module returns the name of the stand-in's module.
func (c *StandInConfig) module() string {
	var m struct {
		Module string `json:"module"`
	}
	_ = json.Unmarshal(c.StandInRaw, &m) // LoadModule reports what is wrong with it
	return m.Module
}

func (c *StandInConfig) provision(ctx caddy.Context, app *registry.App, site func() registry.Site) (*StandIn, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	mod, err := ctx.LoadModule(c, "StandInRaw")
	if err != nil {
		return nil, err
	}
	from, ok := mod.(standin.StandIn)
	if !ok {
		return nil, fmt.Errorf("module %T is not a stand-in", mod)
	}
	s := &StandIn{
		StandIn: from, Name: settings.Name, Module: settings.Module,
		timeout: time.Duration(cmp.Or(c.Timeout, defaultTimeout)),
		target:  &chain.Target{Name: settings.Name},
	}
	hinter, _ := mod.(session.Hinter)
	return s, app.Take(settings, registry.User{Site: site, Bind: func(state *registry.Provider) {
		s.target.Breaker, s.target.RetryBudget, s.target.Places = state.Breaker, state.RetryBudget, state.Places
		s.target.Observer = state.Observer(ctx.Logger(), hinter)
		if state.Cap != nil { // a nil pointer is not a nil interface
			s.target.Cap = state.Cap
		}
	}})
}

// settings are what the registry knows of the stand-in. The hash is over its
// configuration, with placeholders unexpanded; LoadModule empties that.
func (c *StandInConfig) settings() (s registry.Settings, err error) {
	if err := c.check(); err != nil {
		return s, err
	}
	s.Module = c.module()
	s.Name = cmp.Or(c.Name, s.Module)
	if err := guest.CheckName(s.Name); err != nil {
		return s, err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return s, fmt.Errorf("hashing settings: %w", err)
	}
	sum := sha256.Sum256(raw)
	s.Hash, s.Breaker = hex.EncodeToString(sum[:8]), c.Breaker.Settings()
	s.MaxInFlight = guest.DefaultMaxInFlight
	if c.MaxTurns != nil {
		rate := c.MaxTurns.Rate()
		s.MaxRate = &rate
	}
	return s, nil
}

// check refuses invalid settings.
func (c *StandInConfig) check() error {
	switch {
	case len(c.StandInRaw) == 0:
		return errors.New("standin is missing")
	case c.module() == "":
		return errors.New("module is missing (want the kind of stand-in, such as say or openai_chat)")
	}
	if err := c.checkTimeout(); err != nil {
		return err
	}
	if c.MaxTurns != nil {
		if err := c.MaxTurns.Rate().Check(); err != nil {
			return fmt.Errorf("max_turns: %w", err)
		}
	}
	if err := c.Breaker.Settings().Check(); err != nil {
		return fmt.Errorf("breaker: %w", err)
	}
	return nil
}

func (c *StandInConfig) checkTimeout() error {
	switch d := time.Duration(c.Timeout); {
	case d < 0:
		return fmt.Errorf("timeout: %s is negative", d)
	case d != 0 && d < chain.MinAttempt:
		return fmt.Errorf("timeout %s is too short (minimum %s)", d, chain.MinAttempt)
	case d > longest:
		return fmt.Errorf("timeout %s is too long (maximum %s, which a whole answer may take)", d, longest)
	}
	return nil
}
