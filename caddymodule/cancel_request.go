package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/openaiapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// cancelRequest cancels a session, on an openai_api route.
type cancelRequest struct {
	claimed

	session string // its id
}

// serve cancels a session at its provider, or where that cannot, by carrying
// nothing for it any more.
func (c *cancelRequest) serve() {
	if !c.begin() {
		return
	}
	defer c.tellTrace()
	c.drill = false // there is one provider to ask
	c.w.Header().Set("Cache-Control", "no-store")
	if p := c.prepare(); p != nil {
		c.became = string(telemetry.OutcomeRefused)
		c.refuse(p)
		return
	}
	c.became = string(telemetry.OutcomeOK)
	if id, ours := strings.CutPrefix(c.session, idPrefix); ours && c.cancelHere(id) {
		return
	}
	if t, p := c.canceler(); t != nil {
		c.cancelAt(t, p)
		return
	}
	c.became = string(telemetry.OutcomeRejected)
	c.refuse(&problem.Problem{Status: http.StatusNotFound, Code: problem.CodeNotFound, Title: "Not found", Details: "No such session"})
}

func (c *cancelRequest) prepare() *problem.Problem {
	if p := c.h.cors.Check(c.r); p != nil {
		return p
	}
	if p := problem.OnlyPOST(c.r); p != nil {
		return p
	}
	return c.route.key.check(c.r)
}

// cancelHere cancels a session with an id of ours, if there is one.
func (c *cancelRequest) cancelHere(id string) bool {
	provider, until, ok := c.h.issuers().Cancel(c.r.Context(), id)
	if !ok {
		return false
	}
	body, err := openaiapi.Describe(nil, &session.Session{ID: c.session, ExpiresAt: until}, openaiapi.Cancelled)
	if err != nil {
		return false
	}
	c.servedBy(provider)
	c.writeJSON(body)
	return true
}

// canceler returns who can cancel the session: its issuer where it is remembered,
// else the first provider of the route that can cancel any.
func (c *cancelRequest) canceler() (*chain.Target, session.Canceler) {
	c.h.issuers().Fetch(c.r.Context(), session.Secret(c.session))
	issuer := c.h.issuers().Get(session.Secret(c.session))
	for _, t := range c.route.chain.Targets {
		if p, ok := t.Provider.(session.Canceler); ok && (issuer == "" || issuer == t.Name) {
			return t, p
		}
	}
	return nil, nil
}

// cancelAt makes one attempt to cancel a session at its provider, and answers with
// what the provider says.
func (c *cancelRequest) cancelAt(t *chain.Target, p session.Canceler) {
	ctx, cancel := context.WithTimeout(c.r.Context(), t.Timeout)
	defer cancel()
	var resource json.RawMessage
	a := chain.Attempt{
		RequestID: c.id, Client: c.r.Context(), Context: ctx,
		Caller: session.Caller{Address: c.address()}, Life: 2 * t.Timeout,
	}
	a.Call = func() (err error) {
		resource, err = p.Cancel(a.Context, c.session, c.id)
		return unknownSession(err)
	}
	v := t.Try(&a)
	if v.Reason != session.OK {
		var trail chain.Trail
		trail.Add(chain.Step{Target: t, Verdict: v, Err: a.Err}, t.Breaker.RetryIn())
		c.fail(&trail)
		return
	}
	c.servedBy(t.Name)
	c.writeJSON(resource)
}

// fail answers where the provider did not cancel.
func (c *cancelRequest) fail(trail *chain.Trail) {
	const title = "Session cancellation failed"
	last := trail.Last()
	c.reason = last.Verdict.Reason
	switch c.reason {
	case session.Canceled:
		c.became = string(telemetry.OutcomeCanceled)
		c.leave()
	case session.Rejected, session.Status4xx:
		c.became = string(telemetry.OutcomeRejected)
		c.servedBy(last.Target.Name)
		c.writeProblem(problem.Rejected(title, last))
	default:
		c.became, c.provider = string(telemetry.OutcomeFailed), telemetry.NoProvider
		p := problem.Unserved(trail)
		if p.Code == problem.CodeSessionError {
			p.Title = title
		}
		c.writeProblem(p)
	}
}

// unknownSession makes a 404 the fault of the caller. Where a session is made it
// is the sign of a configuration that is wrong.
func unknownSession(err error) error {
	f, ok := errors.AsType[*session.Failure](err)
	if !ok || f.Status != http.StatusNotFound {
		return err
	}
	refused := *f
	refused.Reason = session.Rejected
	return &refused
}
