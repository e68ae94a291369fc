package caddymodule

import (
	"fmt"
	"slices"
	"strings"
)

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

// checkPaths returns an error for a path that can never be asked for, or that
// the kind of the route has no use for.
func (r *RouteConfig) checkPaths() error {
	if !strings.HasPrefix(r.Path, "/") {
		return fmt.Errorf("%s path %q does not begin with a slash", r.Kind, r.Path)
	}
	if r.UpstreamPath != "" && !r.Kind.relayed() {
		return fmt.Errorf("%s %s: is not carried anywhere and has no upstream path", r.Kind, r.Path)
	}
	if r.UpstreamPath != "" && !strings.HasPrefix(r.UpstreamPath, "/") {
		return fmt.Errorf("%s upstream path %q does not begin with a slash", r.Kind, r.UpstreamPath)
	}
	if (r.Key != "") != (r.Kind == OpenAIRoute) {
		return fmt.Errorf("%s %s: a key goes with openai_api, and only there", r.Kind, r.Path)
	}
	pattern := false
	if r.Kind == WebSocketRoute {
		_, pattern = strings.CutSuffix(r.Path, sessionSegment)
	}
	if strings.ContainsAny(strings.TrimSuffix(r.Path, sessionSegment), "{}") || (!pattern && strings.HasSuffix(r.Path, sessionSegment)) {
		return fmt.Errorf("%s path %q: only {session} can stand in it, at the end of a websocket path", r.Kind, r.Path)
	}
	if !pattern && strings.Contains(r.UpstreamPath, sessionSegment) {
		return fmt.Errorf("%s upstream path %q: its path has no {session}", r.Kind, r.UpstreamPath)
	}
	return nil
}
