package turns

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// Policy is how a chatkit route serves turns.
type Policy struct {
	options turn.Options
	common  *common
	owner   string            // thread_owner
	threads shared.Threads    // whose they are
	rate    *limit.RateConfig // nil: no limit
	logger  *zap.Logger
	foreign telemetry.Throttle // lines about other callers' threads

	standIns *outage.Policy // nil: none
}

// TakeLimits takes the rate limit of the route's turns. path tells the route from
// others of the handler; the other arguments are those of [limit.Limits.Take].
func (p *Policy) TakeLimits(limits *limit.Limits, path, hash string, site func() string) (err error) {
	if p.rate != nil {
		p.options.Turns, err = limits.TakeRate(*p.rate, "turns "+path, hash, site)
	}
	return err
}

// unknownThread is the answer to a request in a thread that does not exist.
var unknownThread = chatkit.ErrorEvent{Message: "This conversation could not be found."}

// checkOwner refuses a request in somebody else's thread, or notes it.
func (p *Policy) checkOwner(ctx context.Context, asked *chatkit.Request, whole bool, c *Call) error {
	enforced := p.owner == ownerEnforced
	switch {
	case p.owner == ownerOff:
		return nil
	case enforced && !whole: // the rest could say something else
		return forbid(asked, problem.BodyTooLong(c.Buffer))
	case enforced && asked.Unclear:
		return forbid(asked, problem.BadRequest("Body can be read in two ways"))
	case asked.Thread == "" || !p.threads.Others(ctx, c.Scope, asked.Thread, c.Asker.Caller):
		return nil
	}
	if ok, held := p.foreign.Pass(p.owner); ok {
		p.logger.Warn("a request is in a thread that another caller has created", zap.String("request_id", c.RequestID),
			zap.Bool("refused", enforced), zap.Int("suppressed", held))
	}
	if !enforced {
		return nil
	}
	telemetry.TurnRefused(telemetry.LimitOwner)
	return forbid(asked, &problem.Problem{Status: http.StatusNotFound, Code: problem.CodeNotFound, Title: "Not found", Details: "There is no such thread"})
}

// tooManyOpen is the answer to a turn of somebody who has too many requests open.
var tooManyOpen = chatkit.ErrorEvent{Message: "Too many chats are open at once. Please close one, or try again in a moment."}

// overLimit returns the error of a request that is over a limit of all carried
// requests. A turn gets an event, as over its own limits.
func overLimit(asked *chatkit.Request, r *limit.Refused) error {
	err := &RefusedError{Problem: r.Problem}
	if !asked.Type.Streams() {
		return err
	}
	telemetry.TurnRefused(r.Limit)
	event := tooManyOpen
	if r.Limit == telemetry.LimitRate {
		event = turn.TooMany(r.Problem.RetryAfter).Event
	}
	return &EventError{event.Frame(), err}
}

// forbid returns the error of a request that is not carried. A turn gets an event.
func forbid(asked *chatkit.Request, why *problem.Problem) error {
	err := &RefusedError{Problem: why}
	if !asked.Type.Streams() {
		return err
	}
	return &EventError{eventOf(why).Frame(), err}
}

// eventOf returns the event that says what a problem says.
func eventOf(p *problem.Problem) chatkit.ErrorEvent {
	switch p.Status {
	case http.StatusNotFound:
		return unknownThread
	case http.StatusRequestTimeout:
		return chatkit.ErrorEvent{Message: "Your message did not arrive in time. Please send it again.", AllowRetry: true}
	}
	return chatkit.ErrorEvent{Message: p.Details + "."}
}
