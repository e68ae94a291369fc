package caddymodule

import (
	"fmt"
	"slices"
	"strings"
)

// RouteKind is what a claimed path is for.
type RouteKind string

// The kinds of routes, as they stand in the Caddyfile and in metrics.
const (
	SessionRoute RouteKind = "session"
	RefreshRoute RouteKind = "refresh"
)

func routeKinds() []RouteKind { return []RouteKind{SessionRoute, RefreshRoute} }

// RouteConfig claims a path, or switches a kind of route off. A kind nobody
// configures keeps its default paths.
type RouteConfig struct {
	// What the path is for: "session" or "refresh".
	Kind RouteKind `json:"kind"`

	// The path, matched exactly.
	Path string `json:"path,omitempty"`

	// The names of the providers to ask, in order. Default: the whole chain.
	Providers []string `json:"providers,omitempty"`

	// Off claims no path of this kind, the default ones neither.
	Off bool `json:"off,omitempty"`
}

// moduleOpenAI is the module the default path /api/chatkit/session asks for.
const moduleOpenAI = "openai"

// defaultRoutes are the paths of the quick reference and of the starter app.
// The one the front end falls back to by itself is claimed only where there is
// an OpenAI provider to answer it.
func defaultRoutes(kind RouteKind, openai []string) []RouteConfig {
	switch kind {
	case SessionRoute:
		routes := []RouteConfig{
			{Kind: kind, Path: "/api/custom/session"},
			{Kind: kind, Path: "/api/create-session"},
		}
		if len(openai) > 0 {
			routes = append(routes, RouteConfig{Kind: kind, Path: "/api/chatkit/session", Providers: openai})
		}
		return routes
	case RefreshRoute:
		return []RouteConfig{
			{Kind: kind, Path: "/api/custom/refresh"},
			{Kind: kind, Path: "/api/chatkit/refresh"},
		}
	}
	return nil
}

// effectiveRoutes are the routes that are really claimed.
func effectiveRoutes(configured []RouteConfig, openai []string) (routes []RouteConfig) {
	for _, kind := range routeKinds() {
		own := slices.DeleteFunc(slices.Clone(configured), func(r RouteConfig) bool { return r.Kind != kind })
		if len(own) == 0 {
			own = defaultRoutes(kind, openai)
		}
		for _, r := range own {
			if !r.Off {
				routes = append(routes, r)
			}
		}
	}
	return routes
}

// checkRoutes returns an error that names the first route that makes no sense.
func checkRoutes(routes []RouteConfig, known func(provider string) bool) error {
	paths := make(map[string]bool)
	off := make(map[RouteKind]bool)
	on := make(map[RouteKind]bool)
	for _, r := range routes {
		if !slices.Contains(routeKinds(), r.Kind) {
			return fmt.Errorf("route kind %q is unknown", r.Kind)
		}
		off[r.Kind], on[r.Kind] = off[r.Kind] || r.Off, on[r.Kind] || !r.Off
		if off[r.Kind] && on[r.Kind] {
			return fmt.Errorf("%s routes are both off and given a path", r.Kind)
		}
		if r.Off {
			continue
		}
		if !strings.HasPrefix(r.Path, "/") {
			return fmt.Errorf("%s path %q does not begin with a slash", r.Kind, r.Path)
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
