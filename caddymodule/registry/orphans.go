package registry

import (
	"context"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
)

// orphaned tells operators what became of a session that nobody got.
func (p *Provider) orphaned(requestID string, r orphan.Result, err error) {
	telemetry.Orphaned(p.Name, r)
	if r != orphan.Failed && r != orphan.Dropped {
		return
	}
	if ok, held := p.lines.Pass("orphan " + string(r)); ok {
		telemetry.Log().Warn("orphan session was not canceled", zap.String("provider", p.Name), zap.String("result", string(r)),
			zap.String("request_id", requestID), zap.Int("suppressed", held), zap.String("error", ErrorText(err)))
	}
}

// Hedged implements [chain.Observer].
func (o *observer) Hedged(r hedge.Result) { telemetry.Hedged(o.Name, r) }

// Withdrew implements [chain.Observer].
func (o *observer) Withdrew(requestID, servedBy string) {
	if ok, held := o.lines.Pass("withdrew"); ok {
		o.logger.Warn("session of a hedge is taken back: the provider refused the caller only later", zap.String("provider", o.Name),
			zap.String("served_by", servedBy), zap.String("request_id", requestID), zap.Int("suppressed", held))
	}
}

// parting is how long the process waits at its end for sessions that nobody got.
const parting = 5 * time.Second

// awaitOrphans waits until the sessions that nobody got are canceled, if the process
// ends. A reload does not have to wait: they are canceled in the background.
func (a *App) awaitOrphans() {
	if !caddy.Exiting() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	for _, p := range a.providers {
		if left := p.Orphans.Wait(ctx); left > 0 {
			caddy.Log().Warn("orphan sessions are left behind", zap.String("provider", p.Name), zap.Int("calls", left))
		}
	}
}

// HedgeStatus is when the next provider is asked as well.
type HedgeStatus struct {
	// How long is waited now, in seconds. Absent while too few answers are known.
	After *float64 `json:"after,omitempty"`

	// The part of the requests of the last 10 seconds that were hedged, from 0 to 1. The
	// most is 0.1.
	Share float64 `json:"share"`
}

// hedgeStatus returns it for operators, nil where requests are not hedged.
func (p *Provider) hedgeStatus() *HedgeStatus {
	if p.Hedge == nil {
		return nil
	}
	s := &HedgeStatus{Share: rounded(p.Hedge.Share())}
	if d, ok := p.Hedge.After(); ok {
		f := rounded(d.Seconds())
		s.After = &f
	}
	return s
}
