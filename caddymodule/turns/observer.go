package turns

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// observer tells of the turns of a route.
type observer struct {
	policy        *Policy
	scope, caller string
	requestID     string
	trace         *tracing.Turn
}

// Begun implements [turn.Observer].
func (o *observer) Begun() {
	o.trace.Begin()
	telemetry.TurnBegun()
}

// FirstToken implements [turn.Observer].
func (o *observer) FirstToken(d time.Duration) {
	o.trace.FirstToken()
	telemetry.FirstToken(o.trace.Context(context.Background()), d)
}

// Accepted implements [turn.Observer].
func (o *observer) Accepted(thread string) {
	if o.policy.owner != ownerOff {
		o.policy.threads.Learn(o.scope, thread, o.caller)
	}
}

// Attached implements [turn.Observer].
func (*observer) Attached() { telemetry.TurnAttached() }

// Ended implements [turn.Observer]. A turn that nobody answered is in the log of its
// request.
func (o *observer) Ended(end turn.End, err error, unread bool) {
	o.trace.End(string(end), !end.Broken() && end != turn.Failed, unread)
	telemetry.TurnEnded(string(end), unread)
	if !end.Broken() {
		return
	}
	if ok, held := broken.Pass(string(end)); ok {
		telemetry.Log().Warn("a turn broke off", zap.String("end", string(end)), zap.String("request_id", o.requestID),
			zap.Int("suppressed", held), zap.Error(err))
	}
}

// broken throttles the lines about turns that broke, by their ends.
var broken telemetry.Throttle

// InitSeries creates the metric series of turns, and of the stand-ins.
func (p *Policy) InitSeries() {
	if p.standIns != nil {
		p.standIns.InitSeries()
	}
	ends := make([]string, len(turn.Ends))
	for i, e := range turn.Ends {
		ends[i] = string(e)
	}
	telemetry.InitTurns(ends)
}

// outcomes are the outcomes of requests by how their turns ended.
var outcomes = map[turn.End]telemetry.CarriedOutcome{
	turn.Cut: telemetry.CarriedCut, turn.Reset: telemetry.CarriedCut, turn.Empty: telemetry.CarriedCut,
	turn.Unfinished: telemetry.CarriedCut, turn.Drained: telemetry.CarriedCut,
	turn.Idle: telemetry.CarriedIdle, turn.FirstToken: telemetry.CarriedIdle,
	turn.Canceled: telemetry.CarriedCanceled, turn.Failed: telemetry.CarriedFailed,
}

// Outcome returns the outcome of a client's request by how its turn has ended, "" if
// that says nothing.
func Outcome(c *turn.Client) telemetry.CarriedOutcome {
	end, _ := c.Ended()
	return outcomes[end]
}
