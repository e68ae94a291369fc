package caddymodule

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// carriedRequest is a stream, message, WebSocket or chatkit request: Caddy's
// reverse_proxy carries it to a backend.
type carriedRequest struct {
	claimed

	pathSession string // what {session} stands for in the path
	issuer      string // who issued its session, "" if unknown
	body        *revocableBody
	passage     passage
}

// serve takes the request through its steps and carries it. Aborted answers end
// in a panic of the proxy's.
func (c *carriedRequest) serve() {
	if !c.begin() {
		return
	}
	defer c.tellTrace()
	p := c.prepare()
	if p == nil {
		defer c.admit()()
		if c.passage.refused != nil && c.route.kind != ChatKitRoute {
			p = c.passage.refused.Problem
		}
	}
	if p != nil {
		c.w.Header().Set("Cache-Control", "no-store")
		c.became = string(telemetry.OutcomeRefused)
		c.refuse(p)
		return
	}
	ends, end := c.begins(), telemetry.CarriedCut
	defer func() {
		end = c.ending(end)
		c.became = string(end)
		ends(end)
	}()
	end = c.carry()
}

// prepare checks the request. It needs no user: the backend that issued the
// session knows whose it is.
func (c *carriedRequest) prepare() *problem.Problem {
	if p := c.h.cors.Check(c.r); p != nil {
		return p
	}
	if c.route.kind == WebSocketRoute {
		if p := c.checkUpgrade(); p != nil {
			return p
		}
	} else if p := problem.OnlyPOST(c.r); p != nil {
		return p
	}
	return c.findIssuer()
}

// admit counts the request for the limits of its caller, until leave is called.
func (c *carriedRequest) admit() (leave func()) {
	c.passage.caller = session.Caller{User: c.h.users.Account(c.repl), Address: c.address()}
	if c.h.carried.ByAddress() {
		c.h.warnOfForwarding(c.r)
	}
	leave, c.passage.refused = c.h.carried.Admit(c.passage.caller.User, c.passage.caller.Address)
	return leave
}

// checkUpgrade refuses what does not open a WebSocket: a GET that upgrades, or an
// extended CONNECT (RFC 8441, RFC 9220).
func (c *carriedRequest) checkUpgrade() *problem.Problem {
	switch {
	case c.pathSession == "." || c.pathSession == "..": // a way to other paths
		return problem.BadRequest("Not the name of a session")
	case opensWebSocket(c.r):
		return nil
	case c.r.Method == http.MethodGet, c.r.Method == http.MethodConnect && c.r.ProtoMajor >= 2:
		return problem.BadRequest("Not a WebSocket request")
	}
	return problem.MethodNotAllowed("GET, OPTIONS", "Open a WebSocket")
}

// opensWebSocket reports whether reverse_proxy will take a request for a
// WebSocket, and for no other upgrade.
func opensWebSocket(r *http.Request) bool {
	switch {
	case r.Method == http.MethodConnect && r.ProtoMajor == 2:
		return r.Header.Get(":protocol") == "websocket"
	case r.Method == http.MethodConnect && r.ProtoMajor == 3:
		return r.Proto == "websocket"
	case r.Method == http.MethodGet && r.ProtoMajor == 1:
		return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
			httpguts.HeaderValuesContainsToken(r.Header["Connection"], "Upgrade")
	}
	return false
}

// carry carries the request and returns how it ended. Only [carriedRequest.ending]
// knows about breaks.
func (c *carriedRequest) carry() telemetry.CarriedOutcome {
	c.passage.requestID, c.passage.targets, c.passage.ours = c.id, c.targets(), c.w.Header()
	c.passage.issuer, c.passage.drill = c.issuer, c.drill
	r := c.upstreamRequest()
	if c.route.kind != WebSocketRoute {
		// Only WebSockets upgrade, and only on their routes: anything else (h2c)
		// would be a way past the proxy.
		r.Header.Del("Upgrade")
		c.body = newRevocableBody(c.w, r)
		defer c.body.revoke()
	}
	if c.body != nil {
		c.passage.interrupt = c.body.interrupt
	}
	if c.route.kind == ChatKitRoute {
		c.passage.who, c.passage.left = c.who(), turns.LeavingOf(c.r)
	}
	w := &carriedWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: c.w}, c: c}
	err := c.route.proxy.handler.ServeHTTP(w, r, noNext)
	switch {
	case err != nil && !w.committed:
		return c.fail(err)
	case c.passage.response != nil && c.passage.response.Failed:
		return telemetry.CarriedFailed
	}
	return telemetry.CarriedOK
}

// who returns who sends a chatkit request.
func (c *carriedRequest) who() outage.Who {
	return outage.Who{
		Asker:  turns.AskerOf(c.r, c.h.scope(c.route.proxy.claimed), c.passage.caller),
		Caller: c.passage.caller, Visitor: c.h.users.Visitor(c.r), Header: c.r.Header, RequestID: c.id,
		Replace: func(text string) string { return c.repl.ReplaceKnown(text, "") },
	}
}

// noNext stands for the next handler, which the proxy never calls.
var noNext = caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })

// upstreamRequest returns the request as the backend is to get it, but for the
// backend's own address.
func (c *carriedRequest) upstreamRequest() *http.Request {
	r := c.r.WithContext(context.WithValue(c.r.Context(), passageKey{}, &c.passage))
	r.Header = r.Header.Clone()
	if r.Method != http.MethodConnect { // there the proxy reads and removes :protocol
		removePseudo(r.Header)
	}
	c.h.users.RemoveCookie(r.Header)
	u := *r.URL
	u.RawPath = strings.ReplaceAll(c.route.proxy.path, sessionSegment, url.PathEscape(c.pathSession))
	if path, err := url.PathUnescape(u.RawPath); err == nil {
		u.Path = path
	} else {
		u.Path, u.RawPath = u.RawPath, ""
	}
	r.URL = &u
	return r
}

// removePseudo removes the pseudo headers that net/http leaves in a request over
// HTTP/2 where the server speaks extended CONNECT. No transport sends one.
func removePseudo(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, ":") {
			delete(h, name)
		}
	}
}

// socketOutcomes are the outcomes of WebSockets.
var socketOutcomes = map[relay.SocketEnd]telemetry.CarriedOutcome{
	relay.SocketClosed: telemetry.CarriedOK, relay.SocketCut: telemetry.CarriedCut, relay.SocketLeft: telemetry.CarriedCanceled,
}

// gone reports whether the client has left. A body that was given up ends the
// request's context too.
func (c *carriedRequest) gone() bool {
	return c.r.Context().Err() != nil && (c.body == nil || !c.body.ended.Load())
}

// ending returns how an answer ended. A WebSocket knows by itself: the proxy calls
// every end of one a success, and over HTTP/2 the request is canceled also where
// the client leaves after it was closed.
func (c *carriedRequest) ending(end telemetry.CarriedOutcome) telemetry.CarriedOutcome {
	resp := c.passage.response
	if resp != nil {
		if outcome, ok := socketOutcomes[resp.SocketEnd()]; ok {
			return outcome
		}
	}
	switch {
	case c.gone():
		return telemetry.CarriedCanceled
	case c.passage.client != nil && !c.passage.client.Passes():
		return cmp.Or(turns.Outcome(c.passage.client), end)
	case resp != nil && resp.Idle():
		return telemetry.CarriedIdle
	}
	return end
}

// secret returns the secret that the request shows: the bearer token of a stream
// or message, the last segment of a WebSocket's path. Requests of ChatKit's
// custom-server protocol belong to no session.
func (c *carriedRequest) secret() session.Secret {
	switch c.route.kind {
	case WebSocketRoute:
		return session.Secret(c.pathSession)
	case StreamRoute, MessageRoute:
		return session.Secret(identity.Bearer(c.r.Header))
	default:
		return ""
	}
}
