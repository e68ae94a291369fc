package caddymodule

import (
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// sessionRequest asks for a session: from a front end, or on an openai_api route
// from an app.
type sessionRequest struct {
	claimed

	req     session.Request
	caller  string // the user, of a visitor the address
	visits  bool   // the user has no account
	outcome telemetry.Outcome
	res     chain.Result
}

// serve takes the request through its steps, asks the chain and answers.
func (s *sessionRequest) serve() {
	if !s.begin() {
		return
	}
	s.setHeader("Cache-Control", "no-store")
	defer s.tellTrace()
	defer s.record()
	s.req.ID, s.req.Header = s.id, s.r.Header
	if p := s.prepare(); p != nil {
		s.refuse(p)
		return
	}
	c := s.chain()
	if s.drill {
		c.Targets = drilled(c.Targets)
	}
	s.res = c.Run(s.r.Context(), &s.req, s.who())
	s.reason = s.res.Reason()
	s.tellFailed(&s.res.Trail)
	if s.res.Served != nil {
		s.answer()
		return
	}
	s.fail(&s.res.Trail)
}

// prepare checks the request and fills in what the chain needs.
func (s *sessionRequest) prepare() *problem.Problem {
	if p := s.h.cors.Check(s.r); p != nil {
		return p
	}
	if p := problem.OnlyPOST(s.r); p != nil {
		return p
	}
	if s.route.kind == OpenAIRoute {
		return s.prepareSpec()
	}
	address := s.address()
	if s.h.limits.PerAddress != nil {
		s.h.warnOfForwarding(s.r)
	}
	if p := s.h.limits.PerAddress.Take(address); p != nil {
		return p
	}
	user, visits, p := s.h.users.Identify(s.w, s.r, s.repl)
	if p != nil {
		return p
	}
	s.user, s.req.User, s.caller = user, user, user
	if s.visits = visits; visits { // a visitor who drops the cookie is still the same caller
		s.caller = "\x00" + address // not a user's id
	}
	if p := s.h.limits.PerUser.Take(s.limited()); p != nil {
		return p
	}
	body, p := readBody(s.w, s.r)
	if p != nil {
		return p
	}
	if p := parseBody(body, &s.req); p != nil {
		return p
	}
	if p := s.h.models.check(s.req.Model); p != nil {
		return p
	}
	return s.route.checkMetadata(s.req.Metadata)
}

// who returns the caller as breakers know it. A visitor can always be a new one, so
// only the address counts.
func (s *sessionRequest) who() session.Caller {
	if s.visits {
		return session.Caller{Address: s.address()}
	}
	return session.Caller{User: s.req.User, Address: s.address()}
}

// limited returns whose requests the limit per user counts. Where no limit per
// address keeps visitors from dropping the cookie for a new id, they count by their
// address here.
func (s *sessionRequest) limited() string {
	if s.visits && s.h.limits.PerAddress != nil {
		return s.user
	}
	return s.caller
}

// chain returns the targets to ask: of an app's request those that take it. A model
// that a provider names goes to those that serve it. A refresh asks the issuer of
// the caller's old session first, as long as its breaker is closed; the next new
// session starts at the first provider again. The shape of a secret decides
// nothing: anybody can make one up.
func (s *sessionRequest) chain() chain.Chain {
	c := s.route.chain
	if s.req.Spec != nil {
		c.Targets = taking(c.Targets, s.req.Spec)
	}
	if s.route.knows(s.req.Model) {
		c.Targets = serving(c.Targets, s.req.Model)
	}
	if s.req.Current == "" {
		return c
	}
	s.h.issuers().Fetch(s.r.Context(), s.req.Current)
	issuer := s.h.issuers().IssuedTo(s.req.Current, s.caller)
	for i, t := range c.Targets {
		if i > 0 && t.Name == issuer && t.Breaker.Closed() {
			c.Targets = moveToFront(c.Targets, i)
			break
		}
	}
	return c
}

// refuse answers with a problem of our own.
func (s *sessionRequest) refuse(p *problem.Problem) {
	s.outcome = telemetry.OutcomeRefused
	if !s.claimed.refuse(p) {
		s.outcome = telemetry.OutcomeCanceled
	}
}

// fail answers where no provider gave a session.
func (s *sessionRequest) fail(trail *chain.Trail) {
	last := trail.Last()
	switch last.Verdict.Reason {
	case session.Canceled, session.Abandoned:
		s.outcome = telemetry.OutcomeCanceled
		s.leave()
	case session.Rejected, session.Status4xx: // the latter: no provider was left to go on to
		s.outcome = telemetry.OutcomeRejected
		s.servedBy(last.Target.Name)
		s.writeProblem(problem.Rejected(problem.SessionFailed, last))
	default:
		s.outcome, s.provider = telemetry.OutcomeFailed, telemetry.NoProvider
		p := problem.Unserved(trail)
		s.tellUnserved(trail, p.Status)
		s.writeProblem(p)
	}
}

// record counts the request.
func (s *sessionRequest) record() {
	s.became = string(s.outcome)
	if s.drill {
		s.tellDrill()
		return
	}
	telemetry.SessionAnswered(s.r.Context(), string(s.route.kind), s.provider, s.outcome, time.Since(s.start), s.res.Upstream)
}

// invalidSession answers where a session cannot be written: a third party's
// metadata that is not JSON, for instance.
func (s *sessionRequest) invalidSession() {
	s.outcome = telemetry.OutcomeFailed
	s.writeProblem(&problem.Problem{Status: http.StatusBadGateway, Code: problem.CodeSessionError, Title: problem.SessionFailed,
		Details: problem.Capitalized(s.provider) + " gave no valid session"})
}
