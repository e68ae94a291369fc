package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

func init() { caddy.RegisterModule(new(Handler)) }

// Handler answers the session requests of a chat front end from the first
// provider of a chain that works, each behind its own circuit breaker. What it
// does not claim goes to the next handler untouched.
//
// These placeholders are set on claimed requests:
//
// Placeholder | Description
// ------------|-------------
// `{http.chatkit.provider}` | The provider whose answer the client got
// `{http.chatkit.reason}` | Why the first provider did not serve, empty if it did
// `{http.chatkit.user}` | The user the session was asked for
type Handler struct {
	// The providers, in order of preference. At least one is required.
	Providers []*ProviderConfig `json:"providers,omitempty"`

	// Where the user's id comes from: placeholders of which the first that is
	// not empty wins. Default: {http.auth.user.id}. Hazard: a placeholder for
	// a request header is only as good as whoever sets that header.
	User []string `json:"user,omitempty"`

	// Gives visitors without an account an id in a cookie. Default: off, and
	// they get 401.
	Anonymous *AnonymousConfig `json:"anonymous,omitempty"`

	// The paths to claim. A kind of route that is not listed keeps its
	// default paths.
	Routes []RouteConfig `json:"routes,omitempty"`

	// The longest one session request may take, all providers together. A
	// part of it is kept for the providers still to come. Default: 10s.
	Deadline caddy.Duration `json:"deadline,omitempty"`

	// Which origins may use the routes. Default: all, without credentials.
	CORS *CORSConfig `json:"cors,omitempty"`

	logger *zap.Logger
	links  []*providerLink
	routes map[string]*route
	users  []userSource
	cors   *corsPolicy
	live   bool
}

// CaddyModule returns the Caddy module information.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit",
		New: func() caddy.Module { return new(Handler) },
	}
}

// ServeHTTP answers claimed requests and hands on all others.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	rt, claimed := h.routes[r.URL.Path]
	if !claimed || r.URL.RawPath != "" { // RawPath: written in another way, /a%2Fb for /a/b
		return next.ServeHTTP(w, r)
	}
	x := newExchange(h, rt, w, r)
	x.serve()
	return nil
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
