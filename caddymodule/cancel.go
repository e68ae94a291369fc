package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/openai"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// serveCancel cancels a session: at OpenAI where it was made there, else by
// carrying nothing for it any more.
func (x *exchange) serveCancel() {
	for _, step := range []func() *refusal{x.checkOrigin, x.checkMethod, x.checkKey} {
		if refusal := step(); refusal != nil {
			x.refuse(refusal)
			return
		}
	}
	if id, ours := strings.CutPrefix(x.tail, idPrefix); ours && x.cancelOwn(id) {
		return
	}
	if l, p := x.issuedBy(); l != nil {
		x.cancelAt(l, p)
		return
	}
	x.refuse(&refusal{Status: http.StatusNotFound, Code: "not_found", Title: "Not found", Details: "No such session"})
}

// cancelOwn cancels a session that was not made by OpenAI, if it is one.
func (x *exchange) cancelOwn(id string) bool {
	provider, until, ok := issuers().Cancel(id)
	if !ok {
		return false
	}
	x.provider = provider
	x.setHeader(providerHeader, provider)
	body, err := openai.Describe(nil, &Session{ID: x.tail, ExpiresAt: until}, openai.Cancelled)
	if err != nil {
		return false
	}
	x.write(http.StatusOK, body)
	return true
}

// issuedBy finds who can cancel the session: who made it, as far as that is
// remembered, else the first of the route's providers that can cancel any.
func (x *exchange) issuedBy() (*providerLink, canceler) {
	name := issuers().Get(Secret(x.tail))
	for _, step := range x.rt.chain.Links {
		l := x.h.link(step.Name)
		if p, ok := l.provider.(canceler); ok && (name == "" || name == l.Name) {
			return l, p
		}
	}
	return nil, nil
}

// cancelAt cancels a session at its provider and answers with what that says.
func (x *exchange) cancelAt(l *providerLink, p canceler) {
	resource, v := x.tryCancel(l, p)
	if v.Reason != session.OK {
		x.reason = v.Reason
		x.answerFailure(&chain.Result{Trail: []chain.Step{{Link: &l.carried, Verdict: v}}, RetryIn: l.carried.Gate.RetryIn()})
		return
	}
	x.provider = l.Name
	x.setHeader(providerHeader, l.Name)
	x.write(http.StatusOK, resource)
}

// tryCancel makes one attempt, by the provider's breaker and within its timeout.
func (x *exchange) tryCancel(l *providerLink, p canceler) (resource json.RawMessage, v session.Verdict) {
	done, reason := l.carried.Gate.Allow() // it makes no session, so max_rate is not asked
	if reason != session.OK {
		observer{x}.Skipped(&l.carried, reason)
		return nil, session.Verdict{Reason: reason, Effect: session.Excluded}
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), l.Timeout)
	defer cancel()
	start := time.Now()
	defer func() { done(v.Effect, time.Since(start)) }() // whatever panics, and after the observer
	resource, err := p.Cancel(ctx, x.tail, x.req.ID)
	v = session.Classify(x.r.Context(), ctx, unknownSession(err), l.Onward)
	if v.Cooldown > 0 {
		l.carried.Gate.CoolDown(v.Cooldown)
	}
	observer{x}.Attempted(&l.carried, v, time.Since(start), err)
	return resource, v
}

// unknownSession makes a 404 a refusal of the caller, whose mistake it is here;
// where a session is made it is the sign of a workflow that is gone.
func unknownSession(err error) error {
	f, ok := errors.AsType[*session.Failure](err)
	if !ok || f.Status != http.StatusNotFound {
		return err
	}
	refused := *f
	refused.Reason = session.Rejected
	return &refused
}
