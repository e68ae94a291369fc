package outage

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/handback"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
)

// Config is what a route says of its stand-ins.
type Config struct {
	StandIns []*standby.StandInConfig
	Memory   *MemoryConfig
	Handback *HandbackConfig
}

// Check returns an error for invalid settings.
func (c Config) Check() error {
	if err := c.Memory.Check(); err != nil {
		return err
	}
	if len(c.StandIns) > 0 {
		return standby.Check(c.StandIns)
	}
	switch {
	case c.Memory != nil:
		return errors.New("memory is for stand-ins, and there is no standin")
	case c.Handback != nil:
		return errors.New("handback is for stand-ins, and there is no standin")
	}
	return nil
}

// Route is where stand-ins stand.
type Route struct {
	App  *registry.App
	Site func() registry.Site // known once the configuration starts
	// Scope returns the site and path: what is known of one scope stays there.
	Scope func() string
	// Targets are the backends.
	Targets []*chain.Target
	Logger  *zap.Logger
}

// Policy is how a route has its stand-ins answer.
type Policy struct {
	Route

	chain  standby.Chain
	shared *shared
	chat   func() *outage.Chat // once the configuration has started
	sender *handback.Sender    // nil: nobody is told
	lines  telemetry.Throttle
}

// Provision loads the stand-ins of a route. The policy must be closed.
func Provision(ctx caddy.Context, c Config, r Route) (*Policy, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &Policy{Route: r}
	var err error
	if p.chain, err = standby.Provision(ctx, c.StandIns, r.App, r.Site); err != nil {
		return nil, err
	}
	var to *handback.Endpoint
	if c.Handback != nil {
		if to, err = c.Handback.endpoint(); err != nil {
			return nil, fmt.Errorf("handback: %w", err)
		}
	}
	if p.shared, err = take(); err != nil {
		return nil, err
	}
	p.chat = sync.OnceValue(func() *outage.Chat { return p.newChat(c) })
	if to != nil {
		p.sender = handback.New(to, p.shared.memory, p.Scope, p.back, p.trouble)
		r.App.OnStart(p.sender.Start)
	}
	return p, nil
}

func (p *Policy) newChat(c Config) *outage.Chat {
	return &outage.Chat{
		Store: p.shared.memory, State: p.shared.state(p.Scope()), Closed: p.closed, Ask: p.ask, Models: p.chain.Models(),
		Memory: c.Memory.settings(), Handback: p.sender != nil, Trouble: p.trouble,
	}
}

// Close gives back what Provision took.
func (p *Policy) Close() error {
	if p.sender != nil {
		p.sender.Close()
	}
	_, err := pool.Delete(poolKey)
	return err
}

// closed reports whether the breaker of a backend has closed by itself since then.
func (p *Policy) closed(since time.Time) bool {
	for _, t := range p.Targets {
		b, ok := t.Breaker.(interface{ Snapshot() breaker.Snapshot })
		if !ok {
			continue
		}
		if s := b.Snapshot(); s.State == breaker.Closed && s.Since.After(since) {
			return true
		}
	}
	return false
}

// back reports whether a backend has answered since then.
func (p *Policy) back(since time.Time) bool { return p.chat().Back(since) }

// trouble tells of what goes wrong behind the scenes.
func (p *Policy) trouble(err error) {
	if ok, held := p.lines.Pass("trouble"); ok {
		telemetry.Log().Error("what stand-ins say could not be kept or handed back", zap.Int("suppressed", held),
			zap.String("error", registry.ErrorText(err)))
	}
}
