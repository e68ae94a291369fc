// Package surroundings looks at the routes around a handler while that is being
// provisioned: at the matchers that lead to it, and at what runs in front of it. It
// serves warnings about configurations that validate but cannot be meant.
//
// It knows Caddy's HTTP routes and nothing of chatkit. Only the handler imports it.
package surroundings

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// Place is where a handler stands: in a route of a list, which may itself be in a
// route, and so on up to the server.
type Place struct{ levels []level }

// level is one list of routes, and the route in it that leads to the handler.
type level struct {
	routes caddyhttp.RouteList
	at     int
}

// Of returns the place of the handler that is being provisioned with ctx, whose
// module is called name. Parts that it cannot make out are left out.
func Of(ctx caddy.Context, name string) (p Place) {
	for _, m := range ctx.Modules() {
		switch m := m.(type) {
		case *caddyhttp.App:
			for _, srv := range m.Servers {
				p.descend(srv.Routes, name)
			}
		case *caddyhttp.Subroute:
			p.descend(m.Routes, name)
		}
	}
	return p
}

// descend adds the level of a list of routes. Caddy provisions routes in order, so
// the first one without handlers is the one on the way. Servers come in any order:
// one that has not begun is told by its first route, where that does not lead to
// a handler of the name.
func (p *Place) descend(routes caddyhttp.RouteList, name string) {
	for i, r := range routes {
		if r.Handlers != nil {
			continue
		}
		for _, raw := range r.HandlersRaw {
			if bytes.Contains(raw, []byte(`"`+name+`"`)) {
				p.levels = append(p.levels, level{routes, i})
				return
			}
		}
		return
	}
}

// Unconditional reports whether no matcher stands at the handler's own route.
func (p Place) Unconditional() bool {
	return len(p.levels) > 0 && len(p.innermost().MatcherSets) == 0
}

// Container identifies the list of routes that the handler's own route is in. It is
// nil where that is not known.
func (p Place) Container() any {
	if len(p.levels) == 0 {
		return nil
	}
	return &p.levels[len(p.levels)-1].routes[0]
}

func (p Place) innermost() caddyhttp.Route {
	l := p.levels[len(p.levels)-1]
	return l.routes[l.at]
}

// Reaches reports whether the path matchers in the handler's own route let a path
// through. Other matchers are taken to do so.
func (p Place) Reaches(path string) bool {
	if len(p.levels) == 0 || p.Unconditional() {
		return true
	}
	for _, set := range p.innermost().MatcherSets {
		if mayMatch(set, path) {
			return true
		}
	}
	return false
}

// mayMatch reports whether no path matcher of a set speaks against a path.
func mayMatch(set caddyhttp.MatcherSet, path string) bool {
	for _, m := range set {
		if paths, ok := m.(*caddyhttp.MatchPath); ok && !matchesPath(*paths, path) {
			return false
		}
	}
	return true
}

// matchesPath reports whether one of the patterns matches a path. Patterns with
// placeholders, and with wildcards anywhere but at an end, are taken to.
func matchesPath(patterns caddyhttp.MatchPath, path string) bool {
	for _, pattern := range patterns {
		inner := strings.Trim(pattern, "*")
		switch front, back := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*"); {
		case strings.ContainsAny(inner, "*{"):
			return true
		case front && back && strings.Contains(path, inner),
			front && strings.HasSuffix(path, inner),
			back && strings.HasPrefix(path, inner),
			strings.EqualFold(path, pattern):
			return true
		}
	}
	return false
}

// Sets reports whether something in front of the handler sets or removes a request
// header, or may do so: a reverse_proxy that handles answers, as forward_auth is,
// and anything in the handler's own route that names the header.
func (p Place) Sets(header string) bool {
	for _, l := range p.levels {
		for _, r := range l.routes[:l.at] {
			for _, h := range r.Handlers {
				if sets(h, header) {
					return true
				}
			}
		}
		for _, raw := range l.routes[l.at].HandlersRaw {
			if names(raw, header) {
				return true
			}
		}
	}
	return false
}

// names reports whether the configuration of a handler, which need not be there yet,
// names a header, or removes headers by a pattern that matches it.
func names(raw []byte, header string) bool {
	var ops headers.Handler
	if json.Unmarshal(raw, &ops) == nil && ops.Request != nil && changes(ops.Request, header) {
		return true
	}
	return bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(`"`+header+`"`)))
}

// sets reports whether a handler can set or remove a request header.
func sets(h caddyhttp.MiddlewareHandler, header string) bool {
	switch h := h.(type) {
	case *headers.Handler:
		return h.Request != nil && changes(h.Request, header)
	case *reverseproxy.Handler:
		return len(h.HandleResponse) > 0
	case *caddyhttp.Subroute:
		for _, r := range h.Routes {
			for _, inner := range r.Handlers {
				if sets(inner, header) {
					return true
				}
			}
		}
	}
	return false
}

// changes reports whether header operations name a header.
func changes(ops *headers.HeaderOps, header string) bool {
	for name := range ops.Set {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	for _, pattern := range ops.Delete {
		inner := strings.ToLower(strings.Trim(pattern, "*"))
		if strings.Contains(strings.ToLower(header), inner) {
			return true
		}
	}
	return false
}
