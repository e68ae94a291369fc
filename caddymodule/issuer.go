package caddymodule

import (
	"net/http"
	"strings"
	"sync"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// issuers remembers who issued which session, for the whole process: sessions
// live on when the configuration is replaced.
var issuers = sync.OnceValue(func() *issuer.Index { return issuer.New(issuer.Size, issuer.Life) })

// codeSessionElsewhere is the code of a stream for a session that no backend
// has issued.
const codeSessionElsewhere = "SESSION_ELSEWHERE"

// openaiPrefix begins the secrets that OpenAI issues.
const openaiPrefix = "ek_"

// issuerOf is the name of the provider that issued a session: as remembered,
// else by the shape of the secret, else "".
func (h *Handler) issuerOf(secret Secret) string {
	if secret == "" {
		return ""
	}
	if name := issuers().Get(secret); name != "" {
		return name
	}
	if strings.HasPrefix(secret.Reveal(), openaiPrefix) {
		for _, l := range h.links {
			if l.module == moduleOpenAI {
				return l.Name
			}
		}
	}
	return ""
}

// chainFor is the chain of a request: a refresh asks the issuer of the old
// session first, as long as its breaker is closed. The next new session starts
// at the first provider again.
func (x *exchange) chainFor() *chain.Chain {
	c := &x.rt.chain
	if own := x.rt.models[x.req.Model]; own != nil {
		c = own
	}
	if x.req.Current == "" {
		return c
	}
	name := x.h.issuerOf(x.req.Current)
	for i, l := range c.Links {
		if l.Name != name {
			continue
		}
		if g, ok := l.Gate.(interface{ State() breaker.State }); i == 0 || (ok && !letsThrough(g.State())) {
			return c
		}
		return &chain.Chain{Links: first(c.Links, i), Deadline: c.Deadline}
	}
	return c
}

// letsThrough tells whether a breaker in a state is one to send a refresh to.
func letsThrough(s breaker.State) bool { return s == breaker.Closed || s == breaker.ForcedClosed }

// first is a copy of list with the i-th element in front.
func first[T any](list []T, i int) []T {
	out := make([]T, 0, len(list))
	out = append(out, list[i])
	out = append(out, list[:i]...)
	return append(out, list[i+1:]...)
}

// sessionOf is the secret a carried request stands for: the bearer token of a
// stream or message, the last segment of a WebSocket's path. Requests of
// ChatKit's custom-server protocol belong to no session.
func (x *exchange) sessionOf() Secret {
	switch x.rt.kind {
	case WebSocketRoute:
		return Secret(x.tail)
	case StreamRoute, MessageRoute:
		scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "bearer") {
			return Secret(strings.TrimSpace(token))
		}
	default:
	}
	return ""
}

// findIssuer finds the backend that issued the session of a carried request. A
// session that somebody else issued cannot be carried anywhere: the front end
// has to talk to its provider itself.
func (x *exchange) findIssuer() *refusal {
	secret := x.sessionOf()
	if secret != "" && issuers().Canceled(secret) {
		return unauthorized("This session was cancelled")
	}
	x.issuer = x.h.issuerOf(secret)
	if x.issuer == "" {
		return nil
	}
	for _, t := range x.rt.relay.Targets {
		if t.Name == x.issuer {
			return nil
		}
	}
	for _, l := range x.h.links {
		if l.Name == x.issuer && l.carrier() == nil {
			x.setHeader(providerHeader, x.issuer)
			return &refusal{Status: http.StatusConflict, Code: codeSessionElsewhere, Title: "Session is elsewhere",
				Details: capitalized(x.issuer) + " has issued this session; talk to it directly"}
		}
	}
	return nil // issued under a configuration that is gone
}

// relayFor is the relay of a request: to the issuer of its session first.
func (x *exchange) relayFor() *relay.Relay {
	r := &x.rt.relay.Relay
	for i, t := range r.Targets {
		if i > 0 && t.Name == x.issuer {
			c := *r
			c.Targets = first(r.Targets, i)
			return &c
		}
	}
	return r
}
