package caddymodule

import "slices"

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
	return append([]RouteKind{SessionRoute, RefreshRoute, OpenAIRoute}, relayKinds()...)
}

// relayKinds are the kinds that carry what comes after a session to a backend.
func relayKinds() []RouteKind {
	return []RouteKind{StreamRoute, MessageRoute, WebSocketRoute, ChatKitRoute}
}

// relayed tells whether a kind is one of [relayKinds].
func (k RouteKind) relayed() bool { return slices.Contains(relayKinds(), k) }

// RouteConfig claims a path, or switches a kind of route off. A kind nobody
// configures keeps its default paths.
type RouteConfig struct {
	// What the path is for: "session", "refresh", "stream", "message",
	// "websocket", "chatkit" or "openai_api". The last two are claimed only
	// where they are named.
	Kind RouteKind `json:"kind"`

	// The path, matched exactly. That of a websocket route may end in
	// "/{session}", which stands for one segment. That of openai_api is the
	// one in the base URL of an SDK, such as /v1; claimed below it are
	// /chatkit/sessions and /chatkit/sessions/{id}/cancel.
	Path string `json:"path,omitempty"`

	// The key an app has to show on an openai_api route, where the user comes
	// from the body. Required there. Use `{env.*}` or `{file.*}`: a key
	// written here in full can be read in /config/.
	Key string `json:"key,omitempty"`

	// The path at the backend, for the kinds that are carried there. Default:
	// that of the kind.
	UpstreamPath string `json:"upstream_path,omitempty"`

	// The names of the providers to ask, in order. Default: the whole chain,
	// of which the kinds that are carried use the backends.
	Providers []string `json:"providers,omitempty"`

	// Off claims no path of this kind, the default ones neither.
	Off bool `json:"off,omitempty"`
}

// cast is which of a handler's providers can play the parts that not all can,
// by name.
type cast struct{ openai, carriers []string }

// moduleOpenAI is the module the default path /api/chatkit/session asks for.
const moduleOpenAI = "openai"

// moduleSendbird is a module whose sessions are not for ChatKit, which is what
// OpenAI's API is about.
const moduleSendbird = "sendbird"

// defaultRoutes are the paths of the quick reference and of the starter app.
// The one the front end falls back to by itself is claimed only where there is
// an OpenAI provider to answer it.
func defaultRoutes(kind RouteKind, c cast) []RouteConfig {
	switch kind {
	case SessionRoute:
		routes := []RouteConfig{
			{Kind: kind, Path: "/api/custom/session"},
			{Kind: kind, Path: "/api/create-session"},
		}
		if len(c.openai) > 0 {
			routes = append(routes, RouteConfig{Kind: kind, Path: "/api/chatkit/session", Providers: c.openai})
		}
		return routes
	case RefreshRoute:
		return []RouteConfig{
			{Kind: kind, Path: "/api/custom/refresh"},
			{Kind: kind, Path: "/api/chatkit/refresh"},
		}
	default:
	}
	if path := defaultRelayPaths[kind]; path != "" && len(c.carriers) > 0 {
		return []RouteConfig{{Kind: kind, Path: path}}
	}
	return nil
}

// effectiveRoutes are the routes that are really claimed.
func effectiveRoutes(configured []RouteConfig, c cast) (routes []RouteConfig) {
	for _, kind := range routeKinds() {
		own := slices.DeleteFunc(slices.Clone(configured), func(r RouteConfig) bool { return r.Kind != kind })
		if len(own) == 0 {
			own = defaultRoutes(kind, c)
		}
		for _, r := range own {
			if !r.Off {
				routes = append(routes, r)
			}
		}
	}
	return routes
}
