package caddymodule

import (
	"context"
	"net/http"
	"slices"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// issuerOf returns the name of the provider that issued a session: as remembered,
// else by the shape of the secret, else "".
func (h *Handler) issuerOf(secret session.Secret) string {
	if secret == "" {
		return ""
	}
	if name := h.issuers().Get(secret); name != "" {
		return name
	}
	for _, t := range h.targets {
		if p, ok := t.Provider.(session.Recognizer); ok && p.Recognizes(secret) {
			return t.Name
		}
	}
	return ""
}

// target returns the provider with a name, nil where the handler has none.
func (h *Handler) target(name string) *chain.Target {
	i := slices.IndexFunc(h.targets, func(t *chain.Target) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return h.targets[i]
}

// findIssuer finds the backend that issued the session of a carried request. One
// that another provider issued cannot be carried anywhere: the front end has to
// talk to that provider itself.
func (c *carriedRequest) findIssuer() *problem.Problem {
	secret := c.secret()
	c.h.issuers().Fetch(c.r.Context(), secret)
	if secret != "" && c.h.issuers().Canceled(secret) {
		return problem.Unauthorized("This session was cancelled")
	}
	c.issuer = c.h.issuerOf(secret)
	t := c.h.target(c.issuer)
	if t == nil {
		return nil // unknown, or issued under a configuration that is gone
	}
	if _, carries := t.Provider.(session.Carrier); carries {
		return nil
	}
	c.servedBy(t.Name)
	return &problem.Problem{Status: http.StatusConflict, Code: problem.CodeSessionElsewhere, Title: "Session is elsewhere",
		Details: problem.Capitalized(t.Name) + " has issued this session; talk to it directly"}
}

// targets returns the backends for a request, the issuer of its session first.
func (c *carriedRequest) targets() []relay.Target {
	all := c.route.proxy.targets
	if i := slices.IndexFunc(all, func(t relay.Target) bool { return t.Name == c.issuer }); i > 0 {
		all = moveToFront(all, i)
	}
	if c.drill {
		all = drilledCarriers(all)
	}
	return all
}

// moveToFront returns a copy of list with the i-th element in front.
func moveToFront[T any](list []T, i int) []T {
	return slices.Concat(list[i:i+1], list[:i], list[i+1:])
}

// withdraw has nothing carried any more for a session that the caller may not have.
func (h *Handler) withdraw(s *session.Session) {
	x := h.issuers()
	x.Cancel(context.Background(), x.ID(s.Secret))
}
