package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// route is a claimed path, ready to be served.
type route struct {
	kind     RouteKind
	chain    chain.Chain
	models   map[string]*chain.Chain // for models that not all serve
	checkers []metadataChecker       // of the metadata
	prefix   string                  // of a path that ends in {session}
	key      keyCheck                // of an openai_api route
	relay    *relayer
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
	if err := h.checkModels(); err != nil {
		return err
	}
	if err := h.provisionRoutes(ctx); err != nil {
		return err
	}
	var err error
	if h.cors, err = newCORS(h.CORS); err != nil {
		return err
	}
	if err := h.provisionLimits(); err != nil {
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
	errs := make([]error, 0, len(h.links)+len(h.relayers))
	for _, y := range h.relayers {
		errs = append(errs, y.proxy.Cleanup())
	}
	h.relayers = nil
	// The links stay: requests that are under way still need them, and only a
	// gate that nobody else has is gone from the pool.
	for _, l := range h.links {
		errs = append(errs, l.release())
	}
	errs = append(errs, h.releaseLimits()...)
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
	if err := h.checkStreams(); err != nil {
		return err
	}
	if a := h.Anonymous; a != nil && a.Cookie != "" {
		return checkCookieName(a.Cookie)
	}
	return nil
}

// checkStreams refuses limits of what is carried that make no sense.
func (h *Handler) checkStreams() error {
	if h.Buffer < 0 {
		return fmt.Errorf("buffer: %d is negative", h.Buffer)
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

func (h *Handler) provisionProviders(ctx caddy.Context) error {
	a, err := newAnnouncer(ctx)
	if err != nil {
		return err
	}
	names := make(map[string]bool)
	for i, c := range h.Providers {
		if c == nil {
			return fmt.Errorf("provider #%d is null", i+1)
		}
		label := c.label(i) // while the module's configuration is still there
		l, err := newProviderLink(ctx, c, a)
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

func (h *Handler) provisionRoutes(ctx caddy.Context) error {
	byName := make(map[string]*providerLink)
	var parts cast
	for _, l := range h.links {
		byName[l.Name] = l
		if l.module == moduleOpenAI {
			parts.openai = append(parts.openai, l.Name)
		}
		if l.carrier() != nil {
			parts.carriers = append(parts.carriers, l.Name)
		}
	}
	known := func(name string) bool { return byName[name] != nil }
	if err := checkRoutes(h.Routes, known); err != nil {
		return err
	}
	routes := effectiveRoutes(h.Routes, parts)
	if err := checkRoutes(routes, known); err != nil {
		return err
	}
	h.routes = make(map[string]*route, len(routes))
	for _, r := range routes {
		if err := h.provisionRoute(ctx, r, h.chosen(r, byName)); err != nil {
			return fmt.Errorf("%s %s: %w", r.Kind, r.Path, err)
		}
	}
	return nil
}

// chosen are the providers of a route, in order.
func (h *Handler) chosen(r RouteConfig, byName map[string]*providerLink) []*providerLink {
	if len(r.Providers) == 0 && r.Kind == OpenAIRoute {
		return slices.DeleteFunc(slices.Clone(h.links), func(l *providerLink) bool { return l.module == moduleSendbird })
	}
	if len(r.Providers) == 0 {
		return h.links
	}
	links := make([]*providerLink, len(r.Providers))
	for i, name := range r.Providers {
		links[i] = byName[name]
	}
	return links
}

// provisionRoute claims a path for a route and its providers.
func (h *Handler) provisionRoute(ctx caddy.Context, r RouteConfig, links []*providerLink) error {
	rt := &route{kind: r.Kind, chain: chain.Chain{Deadline: orDefault(h.Deadline, defaultDeadline)}}
	for _, l := range links {
		rt.chain.Links = append(rt.chain.Links, &l.Link)
		if c, ok := l.provider.(metadataChecker); ok {
			rt.checkers = append(rt.checkers, c)
		}
	}
	rt.models = chainsByModel(rt.chain, links)
	if r.Kind.relayed() {
		var err error
		if rt.relay, err = h.newRelayer(ctx, r, links); err != nil {
			return err
		}
		h.relayers = append(h.relayers, rt.relay)
	}
	if r.Kind == OpenAIRoute {
		return h.provisionOpenAI(ctx, r, rt)
	}
	if prefix, ok := strings.CutSuffix(r.Path, sessionSegment); ok {
		rt.prefix = prefix
		h.socket = append(h.socket, rt)
		return nil
	}
	return h.take(r.Path, rt)
}

// take claims a path for a route.
func (h *Handler) take(path string, rt *route) error {
	if h.routes[path] != nil {
		return fmt.Errorf("path %s is claimed twice", path)
	}
	h.routes[path] = rt
	return nil
}

// orDefault is d, or def where d is not set.
func orDefault(d caddy.Duration, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}
