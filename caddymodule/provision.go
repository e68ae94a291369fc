package caddymodule

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
)

// route is a claimed path, ready to be served.
type route struct {
	kind  RouteKind
	chain chain.Chain
}

// Provision wires everything together: this is the one place where it happens.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.logger = ctx.Logger()
	if err := h.check(); err != nil {
		return err
	}
	if err := h.provisionProviders(ctx); err != nil {
		return err
	}
	if err := h.provisionRoutes(); err != nil {
		return err
	}
	var err error
	if h.cors, err = newCORS(h.CORS); err != nil {
		return err
	}
	h.users = newUserSources(h.User)
	if err := register(ctx.GetMetricsRegistry()); err != nil {
		return err
	}
	liveHandlers.add(h)
	h.live = true
	return nil
}

// Cleanup gives back what Provision took. Caddy calls it after a Provision that
// failed too, so it goes by what was really taken.
func (h *Handler) Cleanup() error {
	if h.live {
		liveHandlers.remove(h)
		h.live = false
	}
	errs := make([]error, 0, len(h.links))
	for _, l := range h.links {
		errs = append(errs, l.release())
	}
	h.links = nil
	return errors.Join(errs...)
}

// check refuses what no default can mend.
func (h *Handler) check() error {
	if len(h.Providers) == 0 {
		return errors.New("no provider: a chatkit handler needs at least one")
	}
	if h.Deadline < 0 {
		return fmt.Errorf("deadline: %s is negative", time.Duration(h.Deadline))
	}
	if h.Deadline != 0 && time.Duration(h.Deadline) < chain.MinAttempt {
		return fmt.Errorf("deadline: %s is below %s, the least an attempt is worth", time.Duration(h.Deadline), chain.MinAttempt)
	}
	if a := h.Anonymous; a != nil && a.Cookie != "" {
		return checkCookieName(a.Cookie)
	}
	return nil
}

func (h *Handler) provisionProviders(ctx caddy.Context) error {
	names := make(map[string]bool)
	for i, c := range h.Providers {
		if c == nil {
			return fmt.Errorf("provider #%d is null", i+1)
		}
		label := c.label(i) // while the module's configuration is still there
		l, err := newProviderLink(ctx, c, h.logger)
		if err != nil {
			return fmt.Errorf("provider %s: %w", label, err)
		}
		h.links = append(h.links, l)
		if names[l.Name] {
			return fmt.Errorf("provider %s: the name is given twice; set name in one of them", l.Name)
		}
		names[l.Name] = true
	}
	return nil
}

func (h *Handler) provisionRoutes() error {
	byName := make(map[string]*chain.Link)
	all := make([]*chain.Link, 0, len(h.links))
	var openai []string
	for _, l := range h.links {
		byName[l.Name] = &l.Link
		all = append(all, &l.Link)
		if l.module == moduleOpenAI {
			openai = append(openai, l.Name)
		}
	}
	known := func(name string) bool { return byName[name] != nil }
	if err := checkRoutes(h.Routes, known); err != nil {
		return err
	}
	routes := effectiveRoutes(h.Routes, openai)
	if err := checkRoutes(routes, known); err != nil {
		return err
	}
	h.routes = make(map[string]*route, len(routes))
	for _, r := range routes {
		rt := &route{kind: r.Kind, chain: chain.Chain{Links: all, Deadline: orDefault(h.Deadline, defaultDeadline)}}
		if len(r.Providers) > 0 {
			rt.chain.Links = nil
			for _, name := range r.Providers {
				rt.chain.Links = append(rt.chain.Links, byName[name])
			}
		}
		h.routes[r.Path] = rt
	}
	return nil
}

// orDefault is d, or def where d is not set.
func orDefault(d caddy.Duration, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}
