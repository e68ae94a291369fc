package caddymodule

import (
	"errors"
	"net/http"

	"github.com/dustin/go-humanize"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
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
	event, turned := errors.AsType[*eventError](err)
	refused, forbidden := errors.AsType[*refusedError](err)
	switch {
	case c.gone() && !errors.Is(err, relay.ErrStalled):
		c.leave()
		return telemetry.CarriedCanceled
	case turned:
		c.writeEvent(event)
		return telemetry.CarriedFailed
	case forbidden:
		c.writeProblem(refused.problem)
		return telemetry.CarriedFailed
	case !ok:
		c.h.logger.Debug("request could not be carried", zap.Error(err))
		c.writeProblem(bodyProblem(err))
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

// bodyProblem is the problem of a body that could not be read to its end.
func bodyProblem(err error) *problem.Problem {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLong(large.Limit)
	}
	if errors.Is(err, relay.ErrStalled) {
		return tooSlow()
	}
	return problem.BadRequest("Body could not be read")
}

// tooSlow is the problem of a body that did not come in time.
func tooSlow() *problem.Problem {
	return &problem.Problem{Status: http.StatusRequestTimeout, Code: problem.CodeBodyTimeout, Title: "Body took too long",
		Details: "The rest of the body did not come in time"}
}

// tooLong is the problem of a body that is longer than a limit of the site's.
func tooLong(limit int64) *problem.Problem {
	return &problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: problem.CodeBodyTooLarge, Title: "Body too large",
		Details: "This site takes at most " + humanize.IBytes(uint64(max(limit, 0)))}
}
