package caddymodule

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// observer tells operators of the steps of one request's chain.
type observer struct{ x *exchange }

// Attempted implements [chain.Observer].
func (o observer) Attempted(l *chain.Link, v session.Verdict, took time.Duration, err error) {
	metrics.attempts.WithLabelValues(l.Name, result(v.Reason)).Inc()
	metrics.attemptDuration.WithLabelValues(l.Name).Observe(took.Seconds())
	if v.Reason != session.OK {
		o.x.h.link(l.Name).entry.failed(v, err, o.x.req.ID)
	}
	if c := o.x.h.logger.Check(zapcore.DebugLevel, "attempt"); c != nil {
		c.Write(zap.String("provider", l.Name), zap.String("result", result(v.Reason)), zap.Int("status", v.Status),
			zap.Duration("duration", took), zap.String("request_id", o.x.req.ID), zap.Error(err))
	}
}

// Skipped implements [chain.Observer].
func (observer) Skipped(l *chain.Link, reason session.Reason) {
	metrics.attempts.WithLabelValues(l.Name, result(reason)).Inc()
}

// Retrying implements [chain.Observer].
func (observer) Retrying(l *chain.Link) { metrics.retries.WithLabelValues(l.Name).Inc() }
