package caddymodule

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/session"
)

// observer tells operators of the steps of one request's chain.
type observer struct{ x *exchange }

// Attempted implements [chain.Observer].
func (o observer) Attempted(l *chain.Link, v session.Verdict, took time.Duration, err error) {
	metrics.attempts.WithLabelValues(l.Name, result(v.Reason)).Inc()
	metrics.attemptDuration.WithLabelValues(l.Name).Observe(took.Seconds())
	level := attemptLevel(v.Reason)
	if c := o.x.h.logger.Check(level, "attempt"); c != nil {
		c.Write(zap.String("provider", l.Name), zap.String("result", result(v.Reason)), zap.Int("status", v.Status),
			zap.Duration("duration", took), zap.String("request_id", o.x.req.ID), zap.Error(err))
	}
}

// attemptLevel is error for what an operator has to mend; all else the metrics
// count, and a storm of it must not flood the log.
func attemptLevel(r session.Reason) zapcore.Level {
	if r == session.Misconfigured {
		return zapcore.ErrorLevel
	}
	return zapcore.DebugLevel
}

// Skipped implements [chain.Observer].
func (observer) Skipped(l *chain.Link, reason session.Reason) {
	metrics.attempts.WithLabelValues(l.Name, result(reason)).Inc()
}

// Retrying implements [chain.Observer].
func (observer) Retrying(l *chain.Link) { metrics.retries.WithLabelValues(l.Name).Inc() }
