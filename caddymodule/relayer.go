package caddymodule

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Defaults of what is carried to a backend.
const (
	defaultBuffer     = 1 << 20
	defaultFirstByte  = 30 * time.Second
	defaultStreamIdle = 5 * time.Minute
	defaultDrain      = 30 * time.Second
)

// sessionSegment ends the path of a WebSocket route; it stands for one segment.
const sessionSegment = "{session}"

// defaultRelayPaths are the paths claimed by default; the chatkit route is not:
// an app may well have a page at /chatkit.
var defaultRelayPaths = map[RouteKind]string{
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

// carrier is a provider that also carries what comes after a session.
type carrier interface {
	carry() (base *url.URL, transport http.RoundTripper, forward []string)
}

// carrier is the link's provider as one, nil where it is none.
func (l *providerLink) carrier() carrier {
	c, _ := l.provider.(carrier)
	return c
}

// relayer carries the requests of one route: Caddy's own reverse_proxy, with a
// relay to the backends for its transport.
type relayer struct {
	relay.Relay

	kind  RouteKind
	proxy *reverseproxy.Handler
}

// newRelayer builds the relay of a route.
func (h *Handler) newRelayer(ctx caddy.Context, r RouteConfig, links []*providerLink) (*relayer, error) {
	failover, err := relay.ParseFailover(h.Failover)
	if err != nil {
		return nil, err
	}
	path := r.UpstreamPath
	if path == "" {
		path = upstreamPaths[r.Kind]
	}
	y := &relayer{kind: r.Kind, Relay: relay.Relay{
		Failover: failover, Buffer: set(h.Buffer, defaultBuffer),
		FirstByte: orDefault(h.FirstByte, defaultFirstByte), Idle: orDefault(h.StreamIdle, defaultStreamIdle),
	}}
	for _, l := range links {
		if c := l.carrier(); c != nil {
			y.Targets = append(y.Targets, relay.Target{Link: &l.carried, Send: sender(c, path)})
		}
	}
	if len(y.Targets) == 0 {
		return nil, fmt.Errorf("no provider can carry it; a backend can")
	}
	y.proxy = &reverseproxy.Handler{
		Transport:        roundTripper{y},
		Upstreams:        reverseproxy.UpstreamPool{{Dial: "chatkit:0"}}, // never dialed: the relay knows where to go
		StreamCloseDelay: caddy.Duration(orDefault(h.Drain, defaultDrain)),
	}
	return y, y.proxy.Provision(ctx)
}

// roundTripper is the relay as reverse_proxy wants it.
type roundTripper struct{ y *relayer }

// RoundTrip implements [http.RoundTripper].
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, fmt.Errorf("request is none of the chatkit handler's")
	}
	a, err := x.relayFor().Carry(r, observer{x})
	if err != nil {
		return nil, err
	}
	x.carried(a)
	return a.Response, nil
}

// exchangeKey is the key of the exchange in a carried request's context.
type exchangeKey struct{}

// sender sends requests to a backend.
func sender(c carrier, path string) func(*http.Request) (*http.Response, error) {
	base, transport, forward := c.carry()
	return func(r *http.Request) (*http.Response, error) {
		x, _ := r.Context().Value(exchangeKey{}).(*exchange)
		u := base.JoinPath(strings.ReplaceAll(path, sessionSegment, url.PathEscape(x.tail)))
		u.RawQuery = r.URL.RawQuery
		r = r.WithContext(attemptContext{r.Context()})
		r.URL, r.Host = u, u.Host
		// Cookies are the app's, and the origin has been checked here: neither
		// is the backend's business unless the operator says so.
		for _, name := range []string{"Cookie", "Origin"} {
			if !slices.Contains(forward, name) {
				r.Header.Del(name)
			}
		}
		r.Header.Set(requestIDHeader, x.req.ID)
		resp, err := transport.RoundTrip(r)
		if err == nil && resp.StatusCode == http.StatusSwitchingProtocols && !switches(r.Header, resp.Header) {
			_ = resp.Body.Close()
			return nil, session.Invalid("backend switched to a protocol nobody asked for")
		}
		return resp, err
	}
}

// switches tells whether an answer switches to the protocol that was asked for.
func switches(request, answer http.Header) bool {
	asked := request.Get("Upgrade")
	return asked != "" && strings.EqualFold(answer.Get("Upgrade"), asked)
}

// attemptContext hides from a transport what reverse_proxy has put into the
// context for it: where to dial, which the relay knows better, and the hook
// that passes 1xx answers to the client, which may be those of an attempt that
// fails.
type attemptContext struct{ context.Context } //nolint:containedctx // a context with some values less

// Value implements [context.Context].
func (c attemptContext) Value(key any) any {
	switch v := c.Context.Value(key).(type) {
	case reverseproxy.DialInfo, *httptrace.ClientTrace:
		return nil
	default:
		return v
	}
}
