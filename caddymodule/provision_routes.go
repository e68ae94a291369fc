package caddymodule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// provisionRoutes claims the paths of the configured and the default routes.
func (h *Handler) provisionRoutes(ctx caddy.Context) error {
	known := func(name string) bool { return h.target(name) != nil }
	configured, err := resolveRoutes(h.Routes)
	if err != nil {
		return err
	}
	if err := checkRoutes(configured, known); err != nil {
		return err
	}
	carriers := slices.ContainsFunc(h.targets, func(t *chain.Target) bool {
		_, ok := t.Provider.(session.Carrier)
		return ok
	})
	routes := effectiveRoutes(configured, carriers)
	if err := checkRoutes(routes, known); err != nil {
		return err
	}
	h.routes = make(map[string]*route, len(routes))
	for _, r := range routes {
		if err := h.provisionRoute(ctx, r); err != nil {
			return fmt.Errorf("%s %s: %w", r.Kind, r.Path, err)
		}
	}
	return nil
}

// chosen returns the providers of a route, in order.
func (h *Handler) chosen(r RouteConfig) []*chain.Target {
	switch {
	case len(r.Providers) > 0:
		targets := make([]*chain.Target, len(r.Providers))
		for i, name := range r.Providers {
			targets[i] = h.target(name)
		}
		return targets
	case r.Kind == OpenAIRoute:
		return slices.DeleteFunc(slices.Clone(h.targets), func(t *chain.Target) bool {
			_, other := t.Provider.(session.WidgetMaker)
			return other
		})
	}
	return h.targets
}

// provisionRoute claims the path of a route.
func (h *Handler) provisionRoute(ctx caddy.Context, r RouteConfig) (err error) {
	targets := h.chosen(r)
	rt := &route{kind: r.Kind, path: r.Path, models: knownModels(targets), chain: chain.Chain{
		Targets: targets, Deadline: time.Duration(cmp.Or(h.Deadline, defaultDeadline)), Withdrawn: h.withdraw,
	}}
	switch {
	case r.Kind == OpenAIRoute:
		return h.provisionOpenAI(ctx, r, rt)
	case r.Kind.carried():
		if rt.proxy, err = h.newCarriedProxy(ctx, r, targets); err != nil {
			return err
		}
		h.proxies = append(h.proxies, rt.proxy)
	}
	if prefix, ok := strings.CutSuffix(r.Path, sessionSegment); ok {
		rt.prefix = prefix
		h.patterns = append(h.patterns, rt)
		return nil
	}
	return h.take(r.Path, rt)
}

// provisionOpenAI claims the paths of an openai_api route.
func (h *Handler) provisionOpenAI(ctx caddy.Context, r RouteConfig, rt *route) (err error) {
	if len(rt.chain.Targets) == 0 {
		return errors.New("none of its providers makes sessions for ChatKit")
	}
	if rt.key, err = newKeyCheck(ctx, r.Key); err != nil {
		return err
	}
	path := strings.TrimSuffix(r.Path, "/") + sessionsPath
	cancel := *rt
	cancel.cancel, cancel.prefix = true, path+"/"
	h.patterns = append(h.patterns, &cancel)
	return h.take(path, rt)
}

// take claims a path for a route.
func (h *Handler) take(path string, rt *route) error {
	if h.routes[path] != nil {
		return fmt.Errorf("path %s is claimed twice", path)
	}
	h.routes[path] = rt
	return nil
}

// createSeries creates every metric series that the handler can count.
func (h *Handler) createSeries() {
	telemetry.InitRateLimits()
	for _, rt := range h.routes {
		rt.createSeries()
	}
	for _, rt := range h.patterns {
		rt.createSeries()
	}
}

func (rt *route) createSeries() {
	telemetry.InitRefused(string(rt.kind), problem.Codes())
	if rt.proxy != nil {
		telemetry.InitCarried(string(rt.kind))
		if rt.proxy.turns != nil {
			rt.proxy.turns.InitSeries()
		}
		return
	}
	names := make([]string, len(rt.chain.Targets))
	for i, t := range rt.chain.Targets {
		names[i] = t.Name
	}
	telemetry.InitSessions(string(rt.kind), names)
}
