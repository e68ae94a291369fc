package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap/zapcore"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Defaults of carried requests.
const (
	defaultBuffer      = 1 << 20
	defaultBufferTotal = 256 << 20
	defaultFirstByte   = caddy.Duration(30 * time.Second)
	defaultStreamIdle  = caddy.Duration(5 * time.Minute)
	defaultDrain       = caddy.Duration(30 * time.Second)
)

func init() { telemetry.CountBuffered(relay.Buffered) }

// carriedProxy carries the requests of one route: Caddy's own reverse_proxy, with a
// relay to the backends as its transport.
type carriedProxy struct {
	handler *reverseproxy.Handler
	relay   relay.Relay
	targets []relay.Target
	claimed string        // the path, for logs
	path    string        // at the backend
	debug   bool          // answers are logged
	turns   *turns.Policy // of chatkit routes
}

// newCarriedProxy builds the proxy of a route.
func (h *Handler) newCarriedProxy(ctx caddy.Context, r RouteConfig, targets []*chain.Target) (*carriedProxy, error) {
	failover, err := relay.ParseFailover(h.Failover)
	if err != nil {
		return nil, err
	}
	p := &carriedProxy{
		claimed: r.Path, path: cmp.Or(r.UpstreamPath, upstreamPaths[r.Kind]),
		debug: h.logger.Core().Enabled(zapcore.DebugLevel),
		relay: relay.Relay{
			Failover: failover, Buffer: cmp.Or(h.Buffer, defaultBuffer), BufferTotal: cmp.Or(h.BufferTotal, defaultBufferTotal),
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
	if r.Kind == ChatKitRoute {
		if err := h.turns.Take(ctx); err != nil {
			return nil, err
		}
		threads := shared.Threads{Link: h.link, Hosts: func() []string { return h.site().Hosts() }, Path: r.Path}
		p.turns = h.turns.Policy(r.Turn, threads, h.logger)
		err := h.turns.StandIns(ctx, p.turns, r.Turn, outage.Route{
			App: h.app, Site: h.site, Scope: func() string { return h.scope(r.Path) }, Targets: carriers(p.targets), Logger: h.logger,
		})
		if err != nil {
			return nil, err
		}
	}
	p.handler = &reverseproxy.Handler{
		Transport:        p,
		Upstreams:        reverseproxy.UpstreamPool{{Dial: "chatkit:0"}}, // never dialed: the relay knows where to go
		StreamCloseDelay: cmp.Or(h.Drain, defaultDrain),
	}
	return p, p.handler.Provision(ctx)
}

// scope is the site and the path of a chatkit route: what is known of one stays there.
func (h *Handler) scope(path string) string { return h.siteKey() + " " + path }

// carriers are the backends of a route.
func carriers(targets []relay.Target) []*chain.Target {
	all := make([]*chain.Target, len(targets))
	for i, t := range targets {
		all[i] = t.Target
	}
	return all
}

// passage is what a request hands through reverse_proxy to its transport, and what
// comes back.
type passage struct {
	requestID string
	caller    session.Caller
	issuer    string // of the session, "" if unknown
	drill     bool   // the first of the targets is left out
	targets   []relay.Target
	ours      http.Header // the headers of the answer that are set already
	interrupt func()      // ends a read of the body
	who       outage.Who  // of a chatkit request
	left      func(lost func()) turn.Leaving
	refused   *limit.Refused // of a chatkit route: only the body says in which form it is told

	client   *turn.Client     // of a turn
	response *relay.Response  // nil: no backend has answered
	standIns *outage.Answered // nil: they have not either
	withheld http.Header      // of the answer, until it leaves
}

// passageKey is the key of the passage in a carried request's context.
type passageKey struct{}

// RoundTrip implements [http.RoundTripper]. Other than that says, it changes r, and
// so what the proxy logs of it.
func (p *carriedProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	pass, ok := r.Context().Value(passageKey{}).(*passage)
	if !ok {
		return nil, errors.New("not a carried request")
	}
	if p.turns != nil {
		return p.carryCall(r, pass)
	}
	resp, err := p.relay.Do(p.request(r, pass), pass.targets)
	if err != nil {
		return nil, err
	}
	return p.passOn(resp, pass), nil
}

// carryCall carries a request of ChatKit's custom-server protocol.
func (p *carriedProxy) carryCall(r *http.Request, pass *passage) (*http.Response, error) {
	a, err := p.turns.Carry(r, &turns.Call{
		Delivery: p.relay.Open(p.request(r, pass), pass.targets), Buffer: p.relay.Buffer,
		Who: pass.who, Left: pass.left, Refused: pass.refused, Drill: pass.drill,
	})
	if err != nil {
		return nil, err
	}
	pass.client, pass.standIns = a.Client, a.StandIns
	if a.StandIns != nil {
		return a.Response, nil
	}
	if a.Response == a.Backend.Response {
		return p.passOn(a.Backend, pass), nil
	}
	pass.response = a.Backend
	return p.cleaned(a.Response, pass), nil
}

// request returns the request for the relay.
func (p *carriedProxy) request(r *http.Request, pass *passage) relay.Request {
	return relay.Request{
		Request: hide(r, p.claimed, pass.requestID), ID: pass.requestID, Caller: pass.caller, Interrupt: pass.interrupt,
		Insist: len(pass.targets) > 0 && pass.targets[0].Name == pass.issuer,
	}
}

// passOn returns a backend's response as the client gets it.
func (p *carriedProxy) passOn(resp *relay.Response, pass *passage) *http.Response {
	pass.response = resp
	resp.Closed = func() { removeReserved(resp.Trailer) } // where they are complete
	return p.cleaned(resp.Response, pass)
}

// cleaned takes from a response what the client does not get.
func (p *carriedProxy) cleaned(resp *http.Response, pass *passage) *http.Response {
	removeOurs(resp.Header, pass.ours)
	removeReserved(resp.Trailer)
	if p.debug {
		pass.withheld = withhold(resp.Header)
	}
	return resp
}

// removeOurs removes from a backend's answer the headers that are ours to set, so
// that none is there twice.
func removeOurs(h, ours http.Header) {
	removeReserved(h)
	h["Vary"] = slices.DeleteFunc(h["Vary"], func(v string) bool { return slices.Contains(ours["Vary"], v) })
}

// removeReserved removes the names that are ours.
func removeReserved(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "X-Chatkit-") || name == requestIDHeader {
			delete(h, name)
		}
	}
}

// sender returns a function that sends requests to a backend.
func sender(u session.Upstream) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		target := u.URL.JoinPath(r.URL.EscapedPath())
		target.RawQuery = r.URL.RawQuery
		r = r.WithContext(upstream.WithoutProxy(r.Context()))
		r.URL, r.Host = target, target.Host
		// Only here: reverse_proxy removes what the client's Connection names.
		if pass, ok := r.Context().Value(passageKey{}).(*passage); ok {
			r.Header.Set(requestIDHeader, pass.requestID)
		}
		resp, err := u.Transport.RoundTrip(r)
		if err != nil && !sendable(r) {
			return nil, &session.Failure{Reason: session.Canceled, Err: err}
		}
		if err == nil && resp.StatusCode == http.StatusSwitchingProtocols && !switches(r.Header, resp.Header) {
			_ = resp.Body.Close()
			return nil, session.Invalid("backend switched to a protocol that was not asked for")
		}
		return resp, err
	}
}

// sendable reports whether a request can be sent at all. Not every version of HTTP
// is as strict about headers as the one to the backend, and a client's mistake is
// not the backend's.
func sendable(r *http.Request) bool {
	for name, values := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) || slices.ContainsFunc(values, invalidValue) {
			return false
		}
	}
	return true
}

func invalidValue(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }

// switches reports whether an answer switches to the protocol that was asked for.
func switches(request, answer http.Header) bool {
	asked := request.Get("Upgrade")
	return asked != "" && strings.EqualFold(answer.Get("Upgrade"), asked)
}
