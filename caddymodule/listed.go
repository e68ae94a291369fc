package caddymodule

import (
	"cmp"
	"slices"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// listRoutes tells the registry which routes there are, and which providers they
// ask: for the status and for readiness.
func (h *Handler) listRoutes(app *registry.App) {
	all := make([]*route, 0, len(h.routes)+len(h.patterns))
	for _, rt := range h.routes {
		all = append(all, rt)
	}
	for _, rt := range h.patterns {
		if !rt.cancel {
			all = append(all, rt)
		}
	}
	kinds := routeKinds()
	slices.SortFunc(all, func(a, b *route) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)), cmp.Compare(a.path, b.path))
	})
	for _, rt := range all {
		targets := rt.chain.Targets
		if rt.proxy != nil {
			targets = make([]*chain.Target, len(rt.proxy.targets))
			for i, t := range rt.proxy.targets {
				targets[i] = t.Target
			}
		}
		names := make([]string, len(targets))
		for i, t := range targets {
			names[i] = t.Name
		}
		rt.listed = app.AddRoute(h, string(rt.kind), rt.path, rt.proxy == nil, names)
	}
}

// answered tells the registry who served a request.
func (c *claimed) answered(servedBy string, trail *chain.Trail) {
	if c.drill {
		return
	}
	a := registry.Answer{RequestID: c.id, ServedBy: servedBy}
	if reason := trail.Reason(); reason != session.OK {
		a.First, a.Reason = trail.Steps[0].Target.Name, reason
	}
	c.route.listed.Answered(a)
}
