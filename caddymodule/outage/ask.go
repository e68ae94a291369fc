package outage

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// ask lets one stand-in after another answer, until one does.
func (p *Policy) ask(ctx context.Context, t *standin.Turn, models bool, stage outage.Stage) outage.Result {
	s := &counted{Stage: stage}
	r := p.chain.Answer(ctx, t, models, s)
	how := result(ctx, &r)
	switch {
	case r.Spoke != nil:
		telemetry.StandInTurn(r.Spoke.Module, outcomes[how])
		telemetry.StandInTokens(r.Spoke.Module, s.in, s.out)
		p.tell(t, &r, outcomes[how])
	case how == outage.Silent:
		telemetry.StandInTurn(telemetry.NoProvider, telemetry.StandInFailed)
		p.tellSilent(t, &r)
	}
	return how
}

// outcomes are the outcomes of turns by how their answers ended.
var outcomes = map[outage.Result]string{
	outage.Complete: telemetry.StandInOK, outage.Incomplete: telemetry.StandInIncomplete,
	outage.Broken: telemetry.StandInBroken, outage.Left: telemetry.StandInCanceled,
}

// result returns how an answer ended.
func result(ctx context.Context, r *standby.Result) outage.Result {
	_, incomplete := errors.AsType[*standin.Incomplete](r.Err)
	switch {
	case ctx.Err() != nil, r.Spoke != nil && r.Reason == session.Canceled:
		return outage.Left
	case r.Spoke == nil:
		return outage.Silent
	case r.Reason != session.OK:
		return outage.Broken
	case incomplete:
		return outage.Incomplete
	}
	return outage.Complete
}

// tell tells operators that a stand-in serves. A storm of turns is one line in ten
// seconds for each stand-in.
func (p *Policy) tell(t *standin.Turn, r *standby.Result, outcome string) {
	name := r.Spoke.Name
	if ok, held := p.lines.Pass("spoke " + name); ok {
		fields := []zap.Field{zap.String("standin", name), zap.String("kind", r.Spoke.Module), zap.String("outcome", outcome),
			zap.Strings("others", whyNot(r)), zap.String("request_id", t.RequestID), zap.Int("suppressed", held)}
		if r.Err != nil {
			fields = append(fields, zap.String("error", registry.ErrorText(r.Err)))
		}
		telemetry.Log().Warn("a stand-in answers", fields...)
	}
	if ok, held := p.lines.Pass(telemetry.EventStandIn + name); ok {
		telemetry.Emit(telemetry.EventStandIn, map[string]any{
			"standin": name, "kind": r.Spoke.Module, "outcome": outcome, "suppressed": held, "site": p.Site().String(),
		})
	}
}

// tellSilent tells operators that no stand-in had an answer either.
func (p *Policy) tellSilent(t *standin.Turn, r *standby.Result) {
	if ok, held := p.lines.Pass("silent"); ok {
		telemetry.Log().Error("no stand-in could answer", zap.Strings("standins", whyNot(r)),
			zap.String("request_id", t.RequestID), zap.Int("suppressed", held))
	}
	if ok, held := p.lines.Pass(telemetry.EventStandIn); ok {
		telemetry.Emit(telemetry.EventStandIn, map[string]any{
			"standin": telemetry.NoProvider, "kind": telemetry.NoProvider, "outcome": telemetry.StandInFailed, "suppressed": held,
			"site": p.Site().String(),
		})
	}
}

// whyNot says of each stand-in that did not speak why.
func whyNot(r *standby.Result) []string {
	all := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		all[i] = s.StandIn.Name + ": " + string(s.Reason)
		if s.Err != nil {
			all[i] += ": " + registry.ErrorText(s.Err)
		}
	}
	return all
}

// counted is a stage that counts tokens.
type counted struct {
	outage.Stage

	in, out int
}

// Enter implements [standby.Stage].
func (c *counted) Enter(s *standby.StandIn) error { return c.Stage.Enter(s.Notice()) }

// Usage implements [standin.UsageWriter].
func (c *counted) Usage(in, out int) { c.in, c.out = in, out }
