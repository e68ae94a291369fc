package caddymodule

import (
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/drill"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// drilled returns the targets of a drill.
func drilled(targets []*chain.Target) []*chain.Target {
	targets = slices.Clone(targets)
	if len(targets) > 0 {
		targets[0] = drill.LeftOut(targets[0])
	}
	return targets
}

// drilledCarriers are those of a carried request.
func drilledCarriers(targets []relay.Target) []relay.Target {
	targets = slices.Clone(targets)
	if len(targets) > 0 {
		targets[0].Target = drill.LeftOut(targets[0].Target)
	}
	return targets
}

// tellDrill counts and logs a drill. It is the one place that does: a drill is no
// outage.
func (c *claimed) tellDrill() {
	telemetry.Drilled()
	c.h.logger.Info("drill", zap.String("route", string(c.route.kind)), zap.String("served_by", c.provider),
		zap.String("reason", string(c.reason)), zap.String("outcome", c.became), zap.String("request_id", c.id))
}

// begins counts the request as under way until ends is called.
func (c *carriedRequest) begins() (ends func(telemetry.CarriedOutcome)) {
	if c.drill {
		return func(telemetry.CarriedOutcome) { c.tellDrill() }
	}
	return telemetry.CarryBegins(string(c.route.kind))
}
