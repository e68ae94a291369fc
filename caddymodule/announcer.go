package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
)

// The events, for Caddy's events app.
const (
	// eventBreaker has provider, from, to and reason.
	eventBreaker = "chatkit.breaker_changed"
	// eventFallback has provider (the first of the chain), served_by and
	// reason; there is at most one per provider and [logEvery].
	eventFallback = "chatkit.fallback"
)

// announcer tells operators what happens: in the log, and as Caddy's events.
type announcer struct {
	logger *zap.Logger
	ctx    caddy.Context //nolint:containedctx // of the events
	events *caddyevents.App
}

// newAnnouncer makes the announcer of a handler.
func newAnnouncer(ctx caddy.Context) (*announcer, error) {
	app, err := ctx.App("events")
	if err != nil {
		return nil, fmt.Errorf("loading events app: %w", err)
	}
	events, ok := app.(*caddyevents.App)
	if !ok {
		return nil, fmt.Errorf("events app is a %T", app)
	}
	// Not the module's own context: of that Caddy overwrites the module that is
	// an event's origin when it loads the next one, at the same time and with a
	// wrong one. So the events have no origin.
	return &announcer{logger: ctx.Logger(), ctx: caddy.Context{Context: ctx}, events: events}, nil
}

// emit sends an event. Its handlers run on their own time: they are commands and
// webhooks, and requests do not wait for those.
func (a *announcer) emit(name string, data map[string]any) {
	if a.events.ShouldEmit(name) {
		go a.events.Emit(a.ctx, name, data)
	}
}
