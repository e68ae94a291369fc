package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Site is where a handler stands: each host that its routes match, with the
// addresses its server listens on, sorted. It stays the same over reloads that
// leave hosts and addresses as they are.
type Site []string

// Key returns a short text that stands for the site.
func (s Site) Key() string {
	sum := sha256.Sum256([]byte(strings.Join(s, " ")))
	return hex.EncodeToString(sum[:8])
}

// Hosts returns the hosts of the site, sorted. Instances of a fleet may listen on
// addresses of their own, and still serve the same site.
func (s Site) Hosts() []string {
	hosts := make([]string, 0, len(s))
	for _, at := range s {
		host, _, _ := strings.Cut(at, "@")
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// String returns the site for people, such as "chat.example.com".
func (s Site) String() string { return strings.Join(siteNames(s), ", ") }

// overlaps reports whether two sites have an address in common.
func (s Site) overlaps(other Site) bool {
	return slices.ContainsFunc(s, func(address string) bool { return slices.Contains(other, address) })
}

// unknownSite is the site of handlers that stand in no route of the http app that
// we can see, such as one in a third party's handler.
var unknownSite = Site{"-"}

// SiteOf returns the site of a handler. It needs the whole http app, so it works
// from when the configuration starts, and not while it is provisioned.
func SiteOf(ctx caddy.Context, h caddyhttp.MiddlewareHandler) Site {
	v, err := ctx.AppIfConfigured("http")
	app, ok := v.(*caddyhttp.App)
	if err != nil || !ok {
		return unknownSite
	}
	var found Site
	for _, srv := range app.Servers {
		s := search{handler: h, server: srv, listen: strings.Join(srv.Listen, ",")}
		s.routes(srv.Routes, nil)
		if srv.Errors != nil {
			s.routes(srv.Errors.Routes, nil)
		}
		found = append(found, s.found...)
	}
	if len(found) == 0 {
		return unknownSite
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// search looks for a handler in a server.
type search struct {
	handler caddyhttp.MiddlewareHandler
	server  *caddyhttp.Server
	listen  string
	named   []string // routes that are being searched
	found   Site
}

// routes searches a list of routes. hosts are those that the routes around it
// match, none for any.
func (s *search) routes(list caddyhttp.RouteList, hosts []string) {
	for i := range list {
		s.route(&list[i], hosts)
	}
}

func (s *search) route(r *caddyhttp.Route, hosts []string) {
	if own := hostsOf(r.MatcherSets); len(own) > 0 {
		hosts = own
	}
	for _, h := range r.Handlers {
		switch h := h.(type) {
		case *caddyhttp.Subroute:
			s.routes(h.Routes, hosts)
		case *caddyhttp.Invoke:
			s.invoked(h.Name, hosts)
		default:
			if h == s.handler {
				s.add(hosts)
			}
		}
	}
}

// invoked searches a named route. A handler in one stands in every site that
// invokes it.
func (s *search) invoked(name string, hosts []string) {
	r := s.server.NamedRoutes[name]
	if r == nil || slices.Contains(s.named, name) {
		return
	}
	s.named = append(s.named, name)
	s.route(r, hosts)
	s.named = s.named[:len(s.named)-1]
}

func (s *search) add(hosts []string) {
	if len(hosts) == 0 {
		hosts = []string{"*"}
	}
	for _, host := range hosts {
		s.found = append(s.found, host+"@"+s.listen)
	}
}

// hostsOf returns the hosts that matchers let through, none for any.
func hostsOf(sets caddyhttp.MatcherSets) (hosts []string) {
	for _, set := range sets {
		i := slices.IndexFunc(set, func(m any) bool { _, ok := m.(*caddyhttp.MatchHost); return ok })
		if i < 0 {
			return nil
		}
		if m, ok := set[i].(*caddyhttp.MatchHost); ok {
			for _, host := range *m {
				hosts = append(hosts, strings.ToLower(host))
			}
		}
	}
	return hosts
}
