package registry

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/bulkhead"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/internal/tally"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Provider is what of a provider outlives a reload that does not change it.
type Provider struct {
	Name, Module string

	Breaker     *breaker.Breaker
	RetryBudget *chain.RetryBudget
	Cap         *Cap // nil: no bound
	Places      *bulkhead.Bulkhead
	Hedge       *hedge.Policy // nil: never
	Orphans     *orphan.Keeper

	hash  string                 // of its settings
	where atomic.Pointer[string] // its sites, for people
	owner *owner
	last  atomic.Pointer[FailureStatus]
	found atomic.Pointer[finding]
	tally *tally.Tally
	lines telemetry.Throttle
	fleet place
	roll  rolled
}

// changed tells operators that the breaker has changed its state.
func (p *Provider) changed(c breaker.Change) {
	telemetry.BreakerChanged(p.Name, c)
	p.tally.Changed(string(c.To))
	level := zapcore.InfoLevel
	if c.To == breaker.Open || c.To == breaker.ForcedOpen || c.To == breaker.ForcedClosed {
		level = zapcore.WarnLevel
	}
	telemetry.Log().Log(level, "breaker changed", zap.String("provider", p.Name),
		zap.String("from", string(c.From)), zap.String("to", string(c.To)), zap.String("reason", c.Reason))
	telemetry.Emit(telemetry.EventBreaker, map[string]any{
		"provider": p.Name, "from": string(c.From), "to": string(c.To), "reason": c.Reason, "site": p.place(),
	})
}

// place returns the sites of the provider, for people.
func (p *Provider) place() string {
	if where := p.where.Load(); where != nil {
		return *where
	}
	return ""
}

// Observer returns the observer of the provider for a handler, whose logger it
// uses. hinter is the provider itself where it can give hints, nil otherwise.
func (p *Provider) Observer(logger *zap.Logger, hinter session.Hinter) chain.Observer {
	return &observer{Provider: p, logger: logger, hinter: hinter}
}

// observer tells operators what happens to a provider in the requests of one
// handler.
type observer struct {
	*Provider
	logger *zap.Logger
	hinter session.Hinter
}

// Asking implements [chain.Observer].
func (o *observer) Asking(ctx context.Context, n int, hedged bool) context.Context {
	return tracing.Attempt(ctx, o.Name, n, hedged)
}

// Attempted implements [chain.Observer].
func (o *observer) Attempted(ctx context.Context, requestID string, v session.Verdict, took time.Duration, err error) {
	tracing.Result(ctx, string(v.Reason), v.Status, v.Effect == session.Failed)
	telemetry.Attempted(ctx, o.Name, v.Reason, took)
	o.note(v, took, err)
	if v.Effect == session.Failed {
		o.last.Store(&FailureStatus{Reason: string(v.Reason), Status: v.Status, At: time.Now().UTC()})
	}
	if v.Reason != session.OK {
		o.failed(requestID, v, err)
	}
	if c := o.logger.Check(zapcore.DebugLevel, "attempt"); c != nil {
		c.Write(zap.String("provider", o.Name), zap.String("result", telemetry.Result(v.Reason)), zap.Int("status", v.Status),
			zap.Duration("duration", took), zap.String("request_id", requestID), zap.Error(err))
	}
}

// Skipped implements [chain.Observer].
func (o *observer) Skipped(ctx context.Context, reason session.Reason) {
	telemetry.Skipped(o.Name, reason)
	tracing.Skip(ctx, o.Name, string(reason))
}

// Retrying implements [chain.Observer].
func (o *observer) Retrying() { telemetry.Retried(o.Name) }

// FellBack implements [chain.Observer].
func (o *observer) FellBack(requestID, servedBy string, reason session.Reason) {
	telemetry.FellBack(o.Name, servedBy, reason)
	if ok, held := o.lines.Pass("fallback " + string(reason) + " " + servedBy); ok {
		o.logger.Warn("fallback", zap.String("provider", o.Name), zap.String("served_by", servedBy),
			zap.String("reason", string(reason)), zap.String("request_id", requestID), zap.Int("suppressed", held))
	}
	if ok, _ := o.lines.Pass(telemetry.EventFallback + " " + servedBy); ok {
		telemetry.Emit(telemetry.EventFallback, map[string]any{
			"provider": o.Name, "served_by": servedBy, "reason": string(reason), "site": o.place(),
		})
	}
}

// failed logs a failure that an operator has to mend. Others are counted, and the
// breaker changes when there are too many.
func (o *observer) failed(requestID string, v session.Verdict, err error) {
	level, message := zapcore.ErrorLevel, "provider is misconfigured"
	switch v.Reason {
	case session.Misconfigured:
	case session.Rejected, session.Status4xx:
		if v.Carried {
			return // the client's business
		}
		level, message = zapcore.WarnLevel, "provider refused a request"
	default:
		return
	}
	ok, held := o.lines.Pass(string(v.Reason))
	if !ok {
		return
	}
	o.logger.Log(level, message, zap.String("provider", o.Name), zap.String("reason", string(v.Reason)), zap.Int("status", v.Status),
		zap.String("hint", o.hint(v)), zap.String("request_id", requestID), zap.Int("suppressed", held), zap.Error(err))
}

// hint says what usually causes a failure.
func (o *observer) hint(v session.Verdict) string {
	if v.Reason == session.Misconfigured && v.Status == http.StatusUnauthorized {
		return "the key is missing, wrong or revoked"
	}
	if o.hinter == nil {
		return ""
	}
	return o.hinter.Hint(v)
}
