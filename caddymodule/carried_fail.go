package caddymodule

import (
	"errors"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// fail answers where no backend did.
func (c *carriedRequest) fail(err error) telemetry.CarriedOutcome {
	c.provider = telemetry.NoProvider
	c.w.Header().Set("Cache-Control", "no-store")
	if c.r.ProtoMajor == 1 && (c.r.Header.Get("Expect") != "" || c.body != nil && c.body.ended.Load()) {
		c.w.Header().Set("Connection", "close") // what there is of the body stays unread
	}
	failed, ok := errors.AsType[*relay.Failed](err)
	event, turned := errors.AsType[*turns.EventError](err)
	refused, forbidden := errors.AsType[*turns.RefusedError](err)
	switch {
	case c.gone() && !errors.Is(err, relay.ErrStalled):
		c.leave()
		return telemetry.CarriedCanceled
	case turned:
		return c.writeEvent(event)
	case forbidden:
		if ok { // no backend, and nobody else either
			c.reason = failed.Reason()
			c.tellFailed(&failed.Trail)
			c.tellUnserved(&failed.Trail, refused.Problem.Status)
		}
		c.writeProblem(refused.Problem)
		return telemetry.CarriedRefused
	case !ok:
		c.h.logger.Debug("request could not be carried", zap.Error(err))
		c.writeProblem(problem.Body(err))
		return telemetry.CarriedFailed
	}
	c.reason = failed.Reason()
	p := problem.Unserved(&failed.Trail)
	p.Title = "Chat is unavailable"
	c.tellFailed(&failed.Trail)
	c.tellUnserved(&failed.Trail, p.Status)
	c.writeProblem(p)
	return telemetry.CarriedFailed
}

// writeEvent answers a turn that has no answer.
func (c *carriedRequest) writeEvent(e *turns.EventError) telemetry.CarriedOutcome {
	sseHeaders(c.w.Header(), c.r)
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(e.Event)
	details, outcome := e.Err.Error(), telemetry.CarriedFailed
	if failed, ok := errors.AsType[*relay.Failed](e); ok {
		c.reason = failed.Reason()
		p := problem.Unserved(&failed.Trail)
		details = p.Details
		c.tellFailed(&failed.Trail)
		c.tellUnserved(&failed.Trail, p.Status)
	}
	if refused, ok := errors.AsType[*turns.RefusedError](e); ok {
		telemetry.Refused(string(c.route.kind), strings.ToLower(refused.Problem.Code))
		outcome = telemetry.CarriedRefused
	}
	if turns.OverLimit(e) {
		outcome = telemetry.CarriedRefused
	}
	c.h.logger.Debug("a turn has no answer", zap.String("details", details))
	return outcome
}
