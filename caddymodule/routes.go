package caddymodule

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
)

// RouteKind is what a claimed path is for.
type RouteKind string

// The kinds of routes, as they stand in the Caddyfile and in metrics.
const (
	SessionRoute   RouteKind = "session"
	RefreshRoute   RouteKind = "refresh"
	StreamRoute    RouteKind = "stream"
	MessageRoute   RouteKind = "message"
	WebSocketRoute RouteKind = "websocket"
	ChatKitRoute   RouteKind = "chatkit"
	OpenAIRoute    RouteKind = "openai_api"
)

func routeKinds() []RouteKind {
	return append([]RouteKind{SessionRoute, RefreshRoute, OpenAIRoute}, carriedKinds()...)
}

// carriedKinds are the kinds that are carried to a backend.
func carriedKinds() []RouteKind {
	return []RouteKind{StreamRoute, MessageRoute, WebSocketRoute, ChatKitRoute}
}

// carried reports whether a kind is carried to a backend.
func (k RouteKind) carried() bool { return slices.Contains(carriedKinds(), k) }

// RouteConfig claims a path, or switches a kind of route off. A kind that is not
// configured keeps its default paths.
type RouteConfig struct {
	// What the path is for: "session", "refresh", "stream", "message",
	// "websocket", "chatkit" or "openai_api". The last two are claimed only
	// where they are named.
	Kind RouteKind `json:"kind"`

	// The path, matched exactly. The path of a websocket route may end in
	// "/{session}", which stands for one segment. The path of openai_api is the
	// one in the base URL of an SDK, such as /v1; claimed below it are
	// /chatkit/sessions and /chatkit/sessions/{id}/cancel. Placeholders that can
	// be resolved at load time (`{env.*}`, `{file.*}`) work.
	Path string `json:"path,omitempty"`

	// The key that an app has to show on an openai_api route, where the user
	// comes from the body. Required there. Use `{env.*}` or `{file.*}`: a key
	// written here in full can be read in /config/.
	Key string `json:"key,omitempty"`

	// The path at the backend, for the kinds that are carried there, without a
	// query: that of the request passes on. Placeholders work as in path.
	// Default: that of the kind.
	UpstreamPath string `json:"upstream_path,omitempty"`

	// How turns are served, on a chatkit route. Default: as its fields say.
	Turn *turns.TurnConfig `json:"turn,omitempty"`

	// The names of the providers to ask, in order. Default: the whole chain. The
	// kinds that are carried use its backends, openai_api the providers whose
	// sessions work with ChatKit.
	Providers []string `json:"providers,omitempty"`

	// Claims no path of this kind, not even the default ones.
	Off bool `json:"off,omitempty"`
}

// sessionSegment ends the path of a websocket route. It stands for one segment.
const sessionSegment = "{session}"

// defaultCarriedPaths are claimed by default. There is none for chatkit: an app may
// well have a page at /chatkit.
var defaultCarriedPaths = map[RouteKind]string{
	StreamRoute:    "/api/custom/stream",
	MessageRoute:   "/api/custom/message",
	WebSocketRoute: "/api/ws/chat/" + sessionSegment,
}

// upstreamPaths are the paths at the backend.
var upstreamPaths = map[RouteKind]string{
	StreamRoute:    "/api/chat/stream",
	MessageRoute:   "/api/chat",
	WebSocketRoute: "/ws/chat/" + sessionSegment,
	ChatKitRoute:   "/chatkit",
}

// route is a claimed path, ready to be served.
type route struct {
	kind   RouteKind
	path   string // as it is configured
	listed *registry.Route
	chain  chain.Chain
	models []string      // that its providers list
	prefix string        // of a path that ends in {session} or {id}/cancel
	key    keyCheck      // of openai_api
	proxy  *carriedProxy // of the kinds that are carried
	cancel bool          // of openai_api: it cancels sessions
}

// knows reports whether a provider of the route lists a model.
func (rt *route) knows(model string) bool { return model != "" && slices.Contains(rt.models, model) }

// defaultRoutes returns the paths of the session document and of the starter app.
// Requests are carried only where a provider can do that.
func defaultRoutes(kind RouteKind, carriers bool) []RouteConfig {
	var paths []string
	switch kind {
	case SessionRoute:
		paths = []string{"/api/custom/session", "/api/create-session", "/api/chatkit/session"}
	case RefreshRoute:
		paths = []string{"/api/custom/refresh", "/api/chatkit/refresh"}
	default:
		if path := defaultCarriedPaths[kind]; path != "" && carriers {
			paths = []string{path}
		}
	}
	routes := make([]RouteConfig, len(paths))
	for i, path := range paths {
		routes[i] = RouteConfig{Kind: kind, Path: path}
	}
	return routes
}

// effectiveRoutes returns the routes that are really claimed.
func effectiveRoutes(configured []RouteConfig, carriers bool) (routes []RouteConfig) {
	for _, kind := range routeKinds() {
		own := slices.DeleteFunc(slices.Clone(configured), func(r RouteConfig) bool { return r.Kind != kind })
		if len(own) == 0 {
			own = defaultRoutes(kind, carriers)
		}
		for _, r := range own {
			if !r.Off {
				routes = append(routes, r)
			}
		}
	}
	return routes
}

// checkRoutes returns an error for the first invalid route.
func checkRoutes(routes []RouteConfig, known func(provider string) bool) error {
	paths := make(map[string]bool)
	off := make(map[RouteKind]bool)
	on := make(map[RouteKind]bool)
	for _, r := range routes {
		if !slices.Contains(routeKinds(), r.Kind) {
			return fmt.Errorf("unknown route kind %q", r.Kind)
		}
		off[r.Kind], on[r.Kind] = off[r.Kind] || r.Off, on[r.Kind] || !r.Off
		if off[r.Kind] && on[r.Kind] {
			return fmt.Errorf("%s: off cannot be used together with a path", r.Kind)
		}
		if r.Off {
			continue
		}
		if err := r.checkPaths(); err != nil {
			return err
		}
		if paths[r.Path] {
			return fmt.Errorf("path %s is claimed twice", r.Path)
		}
		paths[r.Path] = true
		for _, name := range r.Providers {
			if !known(name) {
				return fmt.Errorf("%s %s: unknown provider %q", r.Kind, r.Path, name)
			}
		}
	}
	return nil
}

// checkPath returns an error for a path without a slash in front, and for what is
// not part of a path. A request's own query passes on to the backend.
func checkPath(field, path string) error {
	switch {
	case hasPlaceholder(path):
		return nil // checked again when it is replaced
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("%s %q does not begin with a slash", field, path)
	case strings.ContainsAny(path, "?#"):
		return fmt.Errorf("%s %q: a query or a fragment is not allowed", field, path)
	}
	if _, err := url.PathUnescape(path); err != nil {
		return fmt.Errorf("%s %q: %w", field, path, err)
	}
	return nil
}

// pathPlaceholder is a placeholder that is replaced at load time, such as {env.NAME}.
var pathPlaceholder = regexp.MustCompile(`\{[A-Za-z_]+\.[^{}]+\}`)

func hasPlaceholder(path string) bool { return pathPlaceholder.MatchString(path) }

// resolveRoutes replaces the placeholders in the paths of routes.
func resolveRoutes(routes []RouteConfig) ([]RouteConfig, error) {
	out := slices.Clone(routes)
	for i := range out {
		r := &out[i]
		for _, p := range []struct {
			field string
			path  *string
		}{{"path", &r.Path}, {"upstream path", &r.UpstreamPath}} {
			parts := strings.Split(*p.path, sessionSegment) // not a placeholder of Caddy's
			for j, part := range parts {
				if !hasPlaceholder(part) {
					continue
				}
				var err error
				if parts[j], err = block.NewResolver().Optional(string(r.Kind)+" "+p.field, part); err != nil {
					return nil, err
				}
				if hasPlaceholder(parts[j]) {
					return nil, fmt.Errorf("%s %s: %s has a placeholder in its value", r.Kind, p.field, part)
				}
			}
			*p.path = strings.Join(parts, sessionSegment)
		}
	}
	return out, nil
}

// checkPaths returns an error for a path that no request can have, or that the kind
// of the route does not use.
func (r *RouteConfig) checkPaths() error {
	if r.UpstreamPath != "" && !r.Kind.carried() {
		return fmt.Errorf("%s %s: upstream_path is for carried requests only", r.Kind, r.Path)
	}
	if r.Turn != nil {
		if r.Kind != ChatKitRoute {
			return fmt.Errorf("%s %s: turn is for chatkit only", r.Kind, r.Path)
		}
		if err := r.Turn.CheckAll(); err != nil {
			return fmt.Errorf("%s %s: %w", r.Kind, r.Path, err)
		}
	}
	if err := checkPath(string(r.Kind)+" path", r.Path); err != nil {
		return err
	}
	if err := checkPath(string(r.Kind)+" upstream path", cmp.Or(r.UpstreamPath, "/")); err != nil {
		return err
	}
	if (r.Key != "") != (r.Kind == OpenAIRoute) {
		return fmt.Errorf("%s %s: openai_api needs a key, and no other kind takes one", r.Kind, r.Path)
	}
	if hasPlaceholder(r.Path) || hasPlaceholder(r.UpstreamPath) {
		return nil // checked again when they are replaced
	}
	return r.checkSegment()
}

// checkSegment returns an error for {session} where it cannot stand.
func (r *RouteConfig) checkSegment() error {
	pattern := false
	if r.Kind == WebSocketRoute {
		_, pattern = strings.CutSuffix(r.Path, sessionSegment)
	}
	if strings.ContainsAny(strings.TrimSuffix(r.Path, sessionSegment), "{}") || (!pattern && strings.HasSuffix(r.Path, sessionSegment)) {
		return fmt.Errorf("%s path %q: braces are not allowed (only a websocket path may end in {session})", r.Kind, r.Path)
	}
	if !pattern && strings.Contains(r.UpstreamPath, sessionSegment) {
		return fmt.Errorf("%s upstream path %q: path %q does not end in {session}", r.Kind, r.UpstreamPath, r.Path)
	}
	return nil
}
