package registry

import (
	"slices"
	"strconv"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// siteList holds the sites of the handlers of a configuration. It is made when
// somebody asks: the HTTP app is complete only after every handler is.
type siteList struct {
	once      sync.Once
	byHandler map[any][]string
}

// sitesOf returns the addresses of the sites that have a handler.
func (a *App) sitesOf(handler any) []string {
	a.sites.once.Do(func() {
		a.sites.byHandler = make(map[any][]string)
		v, err := a.ctx.AppIfConfigured("http")
		if app, ok := v.(*caddyhttp.App); ok && err == nil {
			for _, server := range app.Servers {
				a.findSites(server.Routes, server.Listen, nil)
			}
		}
	})
	return a.sites.byHandler[handler]
}

// findSites looks for our handlers in routes and the routes within them. hosts are
// those that a route around them has asked for.
func (a *App) findSites(routes caddyhttp.RouteList, listen, hosts []string) {
	for _, r := range routes {
		hosts := hosts
		if own := hostsOf(r); len(own) > 0 {
			hosts = own
		}
		for _, h := range r.Handlers {
			if sub, ok := h.(*caddyhttp.Subroute); ok {
				a.findSites(sub.Routes, listen, hosts)
				continue
			}
			// Handlers of other types may not be usable as a key.
			if slices.ContainsFunc(a.routes, func(r *Route) bool { return r.handler == h }) {
				a.sites.byHandler[h] = append(a.sites.byHandler[h], siteNames(hosts, listen)...)
			}
		}
	}
}

// hostsOf returns the hosts that a route asks for.
func hostsOf(r caddyhttp.Route) (hosts []string) {
	for _, set := range r.MatcherSets {
		for _, m := range set {
			if m, ok := m.(*caddyhttp.MatchHost); ok {
				hosts = append(hosts, *m...)
			}
		}
	}
	return hosts
}

// siteNames returns hosts with the ports that they are served on, unless those are
// the usual ones.
func siteNames(hosts, listen []string) (all []string) {
	for _, l := range listen {
		addr, err := caddy.ParseNetworkAddress(l)
		if err != nil {
			continue
		}
		port := ":" + strconv.FormatUint(uint64(addr.StartPort), 10)
		if len(hosts) == 0 {
			all = append(all, addr.Host+port)
			continue
		}
		if port == ":80" || port == ":443" {
			port = ""
		}
		for _, host := range hosts {
			all = append(all, host+port)
		}
	}
	return all
}
