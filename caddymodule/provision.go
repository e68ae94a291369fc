package caddymodule

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/origin"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// defaultDeadline is the longest that a session request may take.
const defaultDeadline = caddy.Duration(10 * time.Second)

// Provision wires everything together: this is the one place where it happens.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.logger = ctx.Logger()
	settings, err := json.Marshal(h) // before the modules are loaded, which empties their part
	if err != nil {
		return fmt.Errorf("hashing settings: %w", err)
	}
	if err := h.provision(ctx, settings); err != nil {
		return withUnset(err, settings)
	}
	return nil
}

func (h *Handler) provision(ctx caddy.Context, settings []byte) error {
	sum := sha256.Sum256(settings)
	app, err := registry.Of(ctx)
	if err != nil {
		return err
	}
	h.provisionSite(ctx, app)
	if err := h.provisionProviders(ctx, app); err != nil {
		return err
	}
	if h.models, err = newModelPolicy(h); err != nil {
		return err
	}
	if err := h.provisionRoutes(ctx); err != nil {
		return err
	}
	h.listRoutes(app)
	if h.cors, err = origin.NewPolicy(cmp.Or(h.CORS, new(origin.CORSConfig)), exposed...); err != nil {
		return err
	}
	if h.users, err = identity.NewUsers(ctx, h.User, h.Anonymous); err != nil {
		return err
	}
	if err := h.provisionLimits(hex.EncodeToString(sum[:])); err != nil {
		return err
	}
	app.OnScrape(h.createSeries)
	h.announce()
	h.warn(ctx, app)
	return nil
}

// provisionSite prepares what belongs to the handler's site, which is known once
// the configuration starts.
func (h *Handler) provisionSite(ctx caddy.Context, app *registry.App) {
	h.app = app
	h.site = sync.OnceValue(func() registry.Site { return registry.SiteOf(ctx, h) })
	h.siteKey = sync.OnceValue(func() string { return h.site().Key() })
	h.issuers = sync.OnceValue(func() issuer.Site { return issuers().Site(h.siteKey()) })
}

// provisionLimits takes the limits: those of sessions, of carried requests, and of the
// turns of each chatkit route.
func (h *Handler) provisionLimits(hash string) (err error) {
	if err := h.limits.Take(h.RateLimits, hash, h.siteKey); err != nil {
		return err
	}
	if h.carried, err = h.limits.TakeCarried(h.StreamRateLimits, h.MaxStreams, hash, h.siteKey); err != nil {
		return err
	}
	for path, rt := range h.routes {
		if rt.proxy == nil || rt.proxy.turns == nil {
			continue
		}
		if err := rt.proxy.turns.TakeLimits(&h.limits, path, hash, h.siteKey); err != nil {
			return err
		}
	}
	return nil
}

// Validate checks what Provision has compiled.
func (h *Handler) Validate() error {
	if err := h.checkDeadline(); err != nil {
		return err
	}
	if err := h.checkStreams(); err != nil {
		return err
	}
	if total := cmp.Or(h.BufferTotal, defaultBufferTotal); total < h.Buffer {
		return fmt.Errorf("buffer_total: %d is less than buffer, %d: no body of that size would ever be kept", total, h.Buffer)
	}
	if err := identity.CheckUsers(h.User); err != nil {
		return err
	}
	if h.CORS != nil {
		if err := h.CORS.Check(); err != nil {
			return fmt.Errorf("cors: %w", err)
		}
	}
	if h.Anonymous != nil {
		return h.Anonymous.Check()
	}
	return nil
}

// Cleanup gives back what Provision took. Caddy calls it also after a Provision
// that failed, so it goes by what was really taken. The providers belong to the
// app.
func (h *Handler) Cleanup() error {
	errs := make([]error, 0, len(h.proxies)+1)
	for _, p := range h.proxies {
		errs = append(errs, p.handler.Cleanup())
	}
	h.proxies = nil
	errs = append(errs, h.turns.Release())
	return errors.Join(append(errs, h.limits.Release()...)...)
}

func (h *Handler) checkDeadline() error {
	switch d := time.Duration(h.Deadline); {
	case d < 0:
		return fmt.Errorf("deadline: %s is negative", d)
	case d != 0 && d < chain.MinAttempt:
		return fmt.Errorf("deadline %s is too short (minimum %s)", d, chain.MinAttempt)
	}
	return nil
}

// checkStreams refuses invalid limits of carried requests.
func (h *Handler) checkStreams() error {
	if h.Buffer < 0 {
		return fmt.Errorf("buffer: %d is negative", h.Buffer)
	}
	if h.BufferTotal < 0 {
		return fmt.Errorf("buffer_total: %d is negative", h.BufferTotal)
	}
	for name, d := range map[string]caddy.Duration{
		"first_byte": h.FirstByte, "stream_idle": h.StreamIdle, "drain": h.Drain,
	} {
		if d < 0 {
			return fmt.Errorf("%s: %s is negative", name, time.Duration(d))
		}
	}
	_, err := relay.ParseFailover(h.Failover)
	return err
}

func (h *Handler) provisionProviders(ctx caddy.Context, app *registry.App) error {
	if len(h.Providers) == 0 {
		return errors.New("chatkit needs at least one provider")
	}
	for i, c := range h.Providers {
		if c == nil {
			return fmt.Errorf("provider #%d is null", i+1)
		}
		label := c.Label(i) // while the module's configuration is still there
		if h.target(label) != nil {
			return fmt.Errorf("provider name %q is given twice; set name in one of them", label)
		}
		t, err := c.Provision(ctx, app, h.site)
		if err != nil {
			return fmt.Errorf("provider %s: %w", label, err)
		}
		h.targets = append(h.targets, t)
	}
	return nil
}
