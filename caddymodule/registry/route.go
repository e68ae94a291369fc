package registry

import (
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Route is a claimed path and the providers that it asks, for operators.
type Route struct {
	// Kind is the kind of the route, Path what it claims.
	Kind, Path string

	// Session reports whether it creates sessions. The others carry requests.
	Session bool

	app     *App
	names   []string                    // of the providers
	handler caddyhttp.MiddlewareHandler // whose route it is

	bound sync.Once
	found []*Provider
}

// AddRoute adds a route of a handler to the configuration. names are the providers
// it asks, in order.
func (a *App) AddRoute(handler caddyhttp.MiddlewareHandler, kind, path string, session bool, names []string) *Route {
	r := &Route{Kind: kind, Path: path, Session: session, app: a, names: names, handler: handler}
	a.routes = append(a.routes, r)
	return r
}

// providers returns the providers of the route. They are known when the app is
// bound.
func (r *Route) providers() []*Provider {
	r.bound.Do(func() {
		r.app.Bind()
		all := r.app.all()
		for _, name := range r.names {
			if i := slices.IndexFunc(all, func(p *Provider) bool { return p.Name == name }); i >= 0 {
				r.found = append(r.found, all[i])
			}
		}
	})
	return r.found
}

// Answer is an answer that a client got.
type Answer struct {
	RequestID string
	ServedBy  string

	// First is the provider that should have served, and Reason why it did not.
	// They are empty if it did.
	First  string
	Reason session.Reason
}

// Answered counts an answer of a provider.
func (r *Route) Answered(a Answer) {
	for _, p := range r.providers() {
		p.tally.Answered(p.Name == a.ServedBy)
	}
	if a.Reason == session.OK || a.First == a.ServedBy {
		return
	}
	fallbacks.add(Fallback{
		At:       time.Now().UTC(),
		Provider: a.First, ServedBy: a.ServedBy, Reason: string(a.Reason),
		Kind: r.Kind, Path: r.Path, RequestID: a.RequestID,
	})
}

// serving returns the provider that gets the ordinary requests now, nil if none may
// be asked. A half-open breaker gets no more than a probe, so its provider counts
// only if there is no other.
func (r *Route) serving() *Provider {
	all := r.providers()
	i := slices.IndexFunc(all, func(p *Provider) bool { return p.Breaker.Closed() && p.Breaker.RetryIn() == 0 })
	if i < 0 {
		i = slices.IndexFunc(all, func(p *Provider) bool { return p.Breaker.RetryIn() == 0 })
	}
	if i < 0 {
		return nil
	}
	return all[i]
}

// RouteStatus is a route as operators see it.
type RouteStatus struct {
	// The addresses of its site, such as app.example.com. Empty if they are not
	// known, as in a handler within another module's.
	Sites []string `json:"sites,omitempty"`

	Kind string `json:"kind"`
	Path string `json:"path"`

	// The providers, in the order they are asked.
	Providers []string `json:"providers"`

	// The first of them that gets ordinary requests now, or if there is none a
	// probe. Empty if none may be asked.
	Serving string `json:"serving"`
}

func (a *App) routeStatuses() []RouteStatus {
	list := make([]RouteStatus, 0, len(a.routes))
	for _, r := range a.routes {
		list = append(list, a.routeStatus(r))
	}
	return list
}

func (a *App) routeStatus(r *Route) RouteStatus {
	s := RouteStatus{Sites: a.sitesOf(r.handler), Kind: r.Kind, Path: r.Path, Providers: names(r.providers())}
	if p := r.serving(); p != nil {
		s.Serving = p.Name
	}
	return s
}

func names(all []*Provider) []string {
	list := make([]string, len(all))
	for i, p := range all {
		list[i] = p.Name
	}
	return list
}
