package caddymodule

import (
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// tellUnserved tells operators that no provider could serve a request: the worst that
// can happen, so it is an error line and an event. A storm of them is one line in ten
// seconds for each kind of route.
func (c *claimed) tellUnserved(trail *chain.Trail, status int) {
	if c.drill {
		return // its own line says it
	}
	kind := string(c.route.kind)
	if ok, held := c.h.lines.Pass("unserved " + kind); ok {
		c.h.logger.Error("no provider could serve", zap.String("route", kind), zap.Int("status", status),
			zap.Strings("providers", whyNot(trail)), zap.String("request_id", c.id), zap.Int("suppressed", held))
	}
	if ok, held := c.h.lines.Pass(telemetry.EventUnserved + kind); ok {
		reasons := make(map[string]any, len(trail.Steps))
		for _, s := range trail.Steps {
			reasons[s.Target.Name] = string(s.Verdict.Reason)
		}
		telemetry.Emit(telemetry.EventUnserved, map[string]any{
			"route": kind, "status": status, "reasons": reasons, "suppressed": held, "site": c.h.siteName(),
		})
	}
}

// whyNot says of each provider why it did not serve: the reason, and the error where
// there was one.
func whyNot(trail *chain.Trail) []string {
	all := make([]string, len(trail.Steps))
	for i, s := range trail.Steps {
		all[i] = s.Target.Name + ": " + string(s.Verdict.Reason)
		if s.Err != nil {
			all[i] += ": " + registry.ErrorText(s.Err)
		}
	}
	return all
}

// tellFailed logs the failures of providers behind the first. The first one's are
// fallbacks, which have a line of their own; these would be found by nobody else.
func (c *claimed) tellFailed(trail *chain.Trail) {
	for i, s := range trail.Steps {
		if i == 0 || s.Verdict.Effect != session.Failed {
			continue
		}
		reason := string(s.Verdict.Reason)
		if ok, held := c.h.lines.Pass("failed " + s.Target.Name + " " + reason); ok {
			c.h.logger.Warn("provider failed", zap.String("provider", s.Target.Name), zap.String("reason", reason),
				zap.Int("status", s.Verdict.Status), zap.String("error", registry.ErrorText(s.Err)), zap.String("request_id", c.id), zap.Int("suppressed", held))
		}
	}
}

// siteName is where the handler stands, for people.
func (h *Handler) siteName() string { return h.site().String() }
