package caddymodule

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
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

	// What becomes of a request for a model that no provider names: "default",
	// everybody is asked and takes its own default, those without a list of
	// models hear of it; or "strict", it is a bad request. Default: default.
	Models string `json:"models,omitempty"`

	// The longest one session request may take, all providers together. A
	// part of it is kept for the providers still to come. Default: 10s.
	Deadline caddy.Duration `json:"deadline,omitempty"`

	// How many sessions a user or an address may ask for. Default: no limit.
	RateLimits []RateLimitConfig `json:"rate_limits,omitempty"`

	// Which origins may use the routes. Default: all, without credentials.
	CORS *CORSConfig `json:"cors,omitempty"`

	// Which failures before the first byte of an answer move a stream, a
	// message or a WebSocket to the next backend: "safe", only what the first
	// one surely did not start; "any"; or "off". Default: safe. Hazard: with
	// "any" a message can be answered twice.
	Failover string `json:"failover,omitempty"`

	// How much of the body of a stream or message is kept for the next
	// backend, in bytes. A longer one is sent to the first backend whose
	// breaker lets it, and to no other. Default: 1 MiB.
	Buffer int64 `json:"buffer,omitempty"`

	// How long a backend may take until the header of its answer to a stream
	// or message is there. Default: 30s.
	FirstByte caddy.Duration `json:"first_byte,omitempty"`

	// How long the answer to a stream or message may pause. Default: 5m.
	StreamIdle caddy.Duration `json:"stream_idle,omitempty"`

	// How long WebSockets live on after a reload has replaced the handler.
	// Default: 30s.
	Drain caddy.Duration `json:"drain,omitempty"`

	logger *zap.Logger
	links  []*providerLink
	known  []string // models that providers name
	routes map[string]*route
	socket []*route // whose paths end in {session}
	cancel []*route // whose paths end in {id}/cancel

	relayers  []*relayer
	users     []userSource
	cors      *corsPolicy
	limitKeys []string // in the pool
	byUser    *ratelimit.Buckets
	byIP      *ratelimit.Buckets
	live      bool
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
	rt, tail := h.claim(r)
	if rt == nil {
		return next.ServeHTTP(w, r)
	}
	x := newExchange(h, rt, w, r)
	x.tail = tail
	x.serve()
	return nil
}

// claim finds the route of a request, and what stands for {session} in its path.
func (h *Handler) claim(r *http.Request) (rt *route, tail string) {
	if r.URL.RawPath != "" { // written in another way, /a%2Fb for /a/b
		return nil, ""
	}
	if rt = h.routes[r.URL.Path]; rt != nil {
		if rt.kind == ChatKitRoute && r.Method != http.MethodPost && r.Method != http.MethodOptions {
			return nil, "" // the app may have a page there
		}
		return rt, ""
	}
	for _, rt := range h.cancel {
		if id, ok := cancelled(strings.TrimPrefix(r.URL.Path, rt.prefix)); ok && strings.HasPrefix(r.URL.Path, rt.prefix) {
			return rt, id
		}
	}
	for _, rt := range h.socket {
		if tail, ok := strings.CutPrefix(r.URL.Path, rt.prefix); ok && tail != "" && !strings.Contains(tail, "/") {
			return rt, tail
		}
	}
	return nil, ""
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
