package registry

import (
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Route is a claimed path and the providers that it asks, for operators.
type Route struct {
	// Kind is the kind of the route, Path what it claims.
	Kind, Path string

	// Session reports whether it creates sessions. The others carry requests.
	Session bool

	providers []*Provider
	handler   any // whose route it is
}

// AddRoute adds a route of a handler to the configuration.
func (a *App) AddRoute(handler any, r Route, targets []*chain.Target) *Route {
	r.handler = handler
	for _, t := range targets {
		if o, ok := t.Observer.(*observer); ok {
			r.providers = append(r.providers, o.Provider)
		}
	}
	a.routes = append(a.routes, &r)
	return &r
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
	for _, p := range r.providers {
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
	i := slices.IndexFunc(r.providers, func(p *Provider) bool { return p.Breaker.Closed() && p.Breaker.RetryIn() == 0 })
	if i < 0 {
		i = slices.IndexFunc(r.providers, func(p *Provider) bool { return p.Breaker.RetryIn() == 0 })
	}
	if i < 0 {
		return nil
	}
	return r.providers[i]
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
	s := RouteStatus{Sites: a.sitesOf(r.handler), Kind: r.Kind, Path: r.Path, Providers: names(r.providers)}
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
