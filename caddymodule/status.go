package caddymodule

import (
	"cmp"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// ProviderStatus is a provider as operators see it. Times are RFC 3339.
type ProviderStatus struct {
	// The id in the admin API and the name. The id has a hash where several
	// sites use the name with different settings; in metrics one of those, the
	// one configured last, has the plain name.
	ID     string `json:"id"`
	Name   string `json:"name"`
	Module string `json:"module"`

	// The hosts of the sites, or the addresses they listen on.
	Sites []string `json:"sites"`

	// The state of the breaker, as in the metric, and when it got there.
	State string    `json:"state"`
	Since time.Time `json:"since"`

	// When an open breaker lets a call through, when a cooldown ends.
	OpenUntil     *time.Time `json:"open_until,omitempty"`
	CooldownUntil *time.Time `json:"cooldown_until,omitempty"`

	// The latest failure.
	LastFailure *FailureStatus `json:"last_failure,omitempty"`

	Counts CountStatus `json:"counts"`

	// What an operator has forced, and why.
	Forced *ForcedStatus `json:"forced,omitempty"`
}

// FailureStatus is a failed attempt.
type FailureStatus struct {
	Reason string    `json:"reason"`
	Status int       `json:"status,omitempty"` // of HTTP, where there was an answer
	At     time.Time `json:"at"`
}

// CountStatus is what a breaker goes by.
type CountStatus struct {
	Consecutive int `json:"consecutive_failures"`

	// In the window of the ratios.
	Calls  int `json:"calls"`
	Failed int `json:"failed"`
	Slow   int `json:"slow"`
}

// ForcedStatus is a state an operator holds a breaker in.
type ForcedStatus struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// providerStatuses lists all providers in use, by name.
func providerStatuses() []ProviderStatus {
	gates := labeledGates()
	all := make([]ProviderStatus, 0, len(gates))
	for _, g := range gates {
		all = append(all, g.status())
	}
	slices.SortFunc(all, func(a, b ProviderStatus) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

// status is the provider as operators see it.
func (g labeledGate) status() ProviderStatus {
	look := g.gate.Look()
	s := ProviderStatus{
		ID: g.id(), Name: g.name, Module: g.module, Sites: g.sites(), State: string(look.State), Since: look.Since.UTC(),
		OpenUntil: moment(look.OpenUntil), CooldownUntil: moment(look.CoolUntil),
		Counts: CountStatus{Consecutive: look.Consecutive, Calls: look.Calls, Failed: look.Failed, Slow: look.Slow},
	}
	if f := g.last.Load(); f != nil {
		s.LastFailure = &FailureStatus{Reason: string(f.reason), Status: f.status, At: f.at.UTC()}
	}
	if f := look.Forced; f != nil {
		s.Forced = &ForcedStatus{Until: f.Until.UTC(), Reason: f.Reason}
	}
	return s
}

// id is what the admin API knows the provider by.
func (g labeledGate) id() string {
	if g.alone {
		return g.name
	}
	return g.key
}

// moment is a time in JSON, nil where it is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// sites are the sites whose handlers use the provider.
func (e *gateEntry) sites() []string {
	sites := []string{}
	for h, where := range handlerSites() {
		if slices.ContainsFunc(h.links, func(l *providerLink) bool { return l.entry == e }) {
			sites = append(sites, where...)
		}
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}

// handlerSites finds the handlers of the configuration that is live, and the
// sites they stand in. A handler does not know that of itself.
func handlerSites() map[*Handler][]string {
	found := make(map[*Handler][]string)
	app, err := caddy.ActiveContext().AppIfConfigured("http")
	if err != nil {
		return found
	}
	http, ok := app.(*caddyhttp.App)
	if !ok {
		return found
	}
	for _, server := range http.Servers {
		walkRoutes(server.Routes, server.Listen, found)
	}
	return found
}

// walkRoutes looks for handlers below routes. site is what matches so far.
func walkRoutes(routes caddyhttp.RouteList, site []string, found map[*Handler][]string) {
	for _, route := range routes {
		here := site
		if hosts := hostsOf(route); len(hosts) > 0 {
			here = hosts
		}
		for _, handler := range route.Handlers {
			switch h := handler.(type) {
			case *Handler:
				found[h] = append(found[h], here...)
			case *caddyhttp.Subroute:
				walkRoutes(h.Routes, here, found)
			}
		}
	}
}

func hostsOf(route caddyhttp.Route) (hosts []string) {
	for _, set := range route.MatcherSets {
		for _, matcher := range set {
			switch m := matcher.(type) {
			case *caddyhttp.MatchHost:
				hosts = append(hosts, *m...)
			case caddyhttp.MatchHost:
				hosts = append(hosts, m...)
			}
		}
	}
	return hosts
}
