package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Defaults of carried requests.
const (
	defaultBuffer     = 1 << 20
	defaultFirstByte  = caddy.Duration(30 * time.Second)
	defaultStreamIdle = caddy.Duration(5 * time.Minute)
	defaultDrain      = caddy.Duration(30 * time.Second)
)

// carriedProxy carries the requests of one route: Caddy's own reverse_proxy, with a
// relay to the backends as its transport.
type carriedProxy struct {
	handler *reverseproxy.Handler
	relay   relay.Relay
	targets []relay.Target
	path    string // at the backend
}

// newCarriedProxy builds the proxy of a route.
func (h *Handler) newCarriedProxy(ctx caddy.Context, r RouteConfig, targets []*chain.Target) (*carriedProxy, error) {
	failover, err := relay.ParseFailover(h.Failover)
	if err != nil {
		return nil, err
	}
	p := &carriedProxy{
		path: cmp.Or(r.UpstreamPath, upstreamPaths[r.Kind]),
		relay: relay.Relay{
			Failover: failover, Buffer: cmp.Or(h.Buffer, defaultBuffer),
			FirstByte: time.Duration(cmp.Or(h.FirstByte, defaultFirstByte)),
			Idle:      time.Duration(cmp.Or(h.StreamIdle, defaultStreamIdle)),
		},
	}
	for _, t := range targets {
		if c, ok := t.Provider.(session.Carrier); ok {
			p.targets = append(p.targets, relay.Target{Target: t, Send: sender(c.Carry())})
		}
	}
	if len(p.targets) == 0 {
		return nil, errors.New("none of its providers can carry requests (a backend can)")
	}
	p.handler = &reverseproxy.Handler{
		Transport:        p,
		Upstreams:        reverseproxy.UpstreamPool{{Dial: "chatkit:0"}}, // never dialed: the relay knows where to go
		StreamCloseDelay: cmp.Or(h.Drain, defaultDrain),
	}
	return p, p.handler.Provision(ctx)
}

// passage is what a request hands through reverse_proxy to its transport, and what
// comes back.
type passage struct {
	requestID string
	targets   []relay.Target
	ours      http.Header // the headers of the answer that are set already

	response *relay.Response // nil: no backend accepted the request
}

// passageKey is the key of the passage in a carried request's context.
type passageKey struct{}

// RoundTrip implements [http.RoundTripper].
func (p *carriedProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	pass, ok := r.Context().Value(passageKey{}).(*passage)
	if !ok {
		return nil, errors.New("not a carried request")
	}
	resp, err := p.relay.Do(r, pass.requestID, pass.targets)
	if err != nil {
		return nil, err
	}
	pass.response = resp
	removeOurs(resp.Header, pass.ours)
	return resp.Response, nil
}

// removeOurs removes from a backend's answer the headers that are ours to set, so
// that none is there twice.
func removeOurs(h, ours http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			h.Del(name)
		}
	}
	for _, name := range []string{requestIDHeader, providerHeader, reasonHeader} {
		h.Del(name)
	}
	h["Vary"] = slices.DeleteFunc(h["Vary"], func(v string) bool { return slices.Contains(ours["Vary"], v) })
}

// sender returns a function that sends requests to a backend.
func sender(u session.Upstream) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		target := u.URL.JoinPath(r.URL.EscapedPath())
		target.RawQuery = r.URL.RawQuery
		r = r.WithContext(attemptContext{r.Context()})
		r.URL, r.Host = target, target.Host
		// Only here: reverse_proxy removes what the client's Connection names.
		if pass, ok := r.Context().Value(passageKey{}).(*passage); ok {
			r.Header.Set(requestIDHeader, pass.requestID)
		}
		resp, err := u.Transport.RoundTrip(r)
		if err == nil && resp.StatusCode == http.StatusSwitchingProtocols && !switches(r.Header, resp.Header) {
			_ = resp.Body.Close()
			return nil, session.Invalid("backend switched to a protocol that was not asked for")
		}
		return resp, err
	}
}

// switches reports whether an answer switches to the protocol that was asked for.
func switches(request, answer http.Header) bool {
	asked := request.Get("Upgrade")
	return asked != "" && strings.EqualFold(answer.Get("Upgrade"), asked)
}

// attemptContext hides from a transport what reverse_proxy has put into the
// context for it: where to dial, which the relay knows better, and the hook that
// passes 1xx answers to the client, which may belong to an attempt that fails.
type attemptContext struct{ context.Context } //nolint:containedctx // a context with fewer values

// Value implements [context.Context].
func (c attemptContext) Value(key any) any {
	switch v := c.Context.Value(key).(type) {
	case reverseproxy.DialInfo, *httptrace.ClientTrace:
		return nil
	default:
		return v
	}
}
