package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/origin"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
)

func init() { caddy.RegisterModule(new(Handler)) }

// Handler keeps the chat of an app working. It answers the session requests of a
// chat front end from the first provider of a chain that works, each behind its own
// circuit breaker, and carries the chat's streams, messages and WebSockets to the
// backends among them. Requests that it does not claim go to the next handler
// unchanged.
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
	Providers []*guest.ProviderConfig `json:"providers,omitempty"`

	// Where the user's id comes from: placeholders, of which the first that is
	// not empty wins. A text with placeholders is empty if any of them is.
	// Default: {http.auth.user.id}. Hazard: a placeholder for
	// a request header is only as trustworthy as whoever sets that header.
	User []string `json:"user,omitempty"`

	// Gives visitors without an account an id in a cookie. Default: off; they get
	// 401.
	Anonymous *identity.AnonymousConfig `json:"anonymous,omitempty"`

	// The paths to claim. A kind of route that is not listed keeps its default
	// paths.
	Routes []RouteConfig `json:"routes,omitempty"`

	// What to do with a model that no provider lists. "default": ask the whole
	// chain; providers with a list use their own default, the others get the name
	// as sent. "strict": answer 400. Default: default.
	Models string `json:"models,omitempty"`

	// The longest a session request may take, all providers together. A part of
	// it is kept for the providers that come later. Default: 10s.
	Deadline caddy.Duration `json:"deadline,omitempty"`

	// How many sessions a user or a client address may ask for. Default: no
	// limit.
	RateLimits []limit.RateLimitConfig `json:"rate_limits,omitempty"`

	// How often a user or a client address may have a request carried: a stream, a
	// message, a WebSocket, or one of a chatkit route. Users without an account count
	// by their address. Default: no limit. Hazard: on a chatkit route a page that loads
	// makes several requests.
	StreamRateLimits []limit.RateLimitConfig `json:"stream_rate_limits,omitempty"`

	// How many carried requests a user or a client address may have open at once, on
	// all of the site's routes. Users without an account count by their address.
	// Default: no limit. Hazard: many people may have one address.
	MaxStreams []limit.MaxStreamsConfig `json:"max_streams,omitempty"`

	// Which origins may use the routes. Default: all, without credentials.
	CORS *origin.CORSConfig `json:"cors,omitempty"`

	// Which failures before the first byte of an answer move a stream, a message
	// or a WebSocket to the next backend. "safe": only what the first backend
	// surely did not start. "any": every failure. "off": none. Default: safe.
	// Hazard: with "any" a message can be answered twice.
	Failover string `json:"failover,omitempty"`

	// How much of the body of a carried request is kept for the next backend, in
	// bytes. A longer one goes to the first backend whose breaker lets it, and to
	// no other; a half-open breaker does not let it. Bodies over 4 KiB are kept
	// only where there is another backend, or for the probe of a half-open
	// breaker. Default: 1 MiB.
	Buffer int64 `json:"buffer,omitempty"`

	// How much memory kept bodies may take, in bytes, of all requests of the
	// process. A body beyond it is not kept, whatever buffer says. Default: 256
	// MiB.
	BufferTotal int64 `json:"buffer_total,omitempty"`

	// How long a backend may take to send the header of its answer to a carried
	// request. A body that is kept has to come as fast, and one that is not may
	// pause for as long: else the client gets 408. Default: 30s. Hazard: clients
	// on slow lines cannot send large bodies where it is short.
	FirstByte caddy.Duration `json:"first_byte,omitempty"`

	// How long the answer to a stream or message may pause. Default: 5m.
	StreamIdle caddy.Duration `json:"stream_idle,omitempty"`

	// How long WebSockets live on after a reload replaced the handler. Default:
	// 30s.
	Drain caddy.Duration `json:"drain,omitempty"`

	logger    *zap.Logger
	app       *registry.App
	site      func() registry.Site // from here on known once the configuration starts
	siteKey   func() string
	issuers   func() issuer.Site
	targets   []*chain.Target
	routes    map[string]*route // by path
	patterns  []*route          // whose paths have a part that varies, after their prefix
	proxies   []*carriedProxy
	users     identity.Users
	models    modelPolicy
	cors      *origin.Policy
	limits    limit.Limits
	carried   limit.Carried
	turns     turns.Turns // where there is a chatkit route
	rewritten rewriteWarnings

	lines      telemetry.Throttle
	forwarding sync.Once // its warning
}

// CaddyModule returns the Caddy module information.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit",
		New: func() caddy.Module { return new(Handler) },
	}
}

// ServeHTTP answers claimed requests and passes on all others. Problems are
// answered here and not returned: front ends rely on their JSON, so handle_errors
// does not see them.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	rt, segment := h.claim(r)
	if rt == nil {
		h.warnRewritten(r)
		return next.ServeHTTP(w, r)
	}
	h.app.Bind()
	c := claimed{h: h, route: rt, w: w, r: r}
	switch {
	case rt.proxy != nil:
		(&carriedRequest{claimed: c, pathSession: segment}).serve()
	case rt.cancel:
		(&cancelRequest{claimed: c, session: segment}).serve()
	default:
		(&sessionRequest{claimed: c}).serve()
	}
	return nil
}

// claim returns the route of a request, nil if it is not ours, and the part of its
// path that varies.
func (h *Handler) claim(r *http.Request) (rt *route, segment string) {
	if encodesSlash(r.URL) {
		return nil, ""
	}
	if rt = h.routes[r.URL.Path]; rt != nil {
		if rt.kind == ChatKitRoute && r.Method != http.MethodPost && r.Method != http.MethodOptions {
			return nil, "" // the app may have a page there
		}
		return rt, ""
	}
	for _, rt := range h.patterns {
		if segment, ok := rt.match(r.URL.Path); ok {
			return rt, segment
		}
	}
	return nil, ""
}

// encodesSlash reports whether the path holds an encoded slash, which would be
// another path without it: /a%2Fb is not /a/b. Nor can any path of ours hold NUL.
func encodesSlash(u *url.URL) bool {
	return strings.Contains(u.RawPath, "%2F") || strings.Contains(u.RawPath, "%2f") || strings.Contains(u.Path, "\x00")
}

// match returns the part of a path that varies.
func (rt *route) match(path string) (segment string, ok bool) {
	rest, ok := strings.CutPrefix(path, rt.prefix)
	switch {
	case !ok:
		return "", false
	case rt.cancel:
		return cancelID(rest)
	}
	return rest, rest != "" && !strings.Contains(rest, "/")
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
