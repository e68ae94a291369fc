package telemetry

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
)

// The events, for Caddy's events app.
const (
	// EventBreaker has provider, from, to and reason.
	EventBreaker = "chatkit.breaker_changed"
	// EventFallback has provider (the first of the chain), served_by and reason.
	// There is at most one per provider in 10 seconds.
	EventFallback = "chatkit.fallback"
	// EventUnserved has route, status, reasons (of each provider), site, and how many
	// were suppressed. There is at most one per kind of route in 10 seconds.
	EventUnserved = "chatkit.unserved"
	// EventStandIn has standin, kind, outcome, site, and how many were suppressed. The
	// standin is none where none could answer. There is at most one per stand-in in 10
	// seconds.
	EventStandIn = "chatkit.standin"
)

// source names the logger.
type source struct{}

// CaddyModule returns the ID that the product's log lines have.
func (source) CaddyModule() caddy.ModuleInfo { return caddy.ModuleInfo{ID: "http.handlers.chatkit"} }

// Log returns the product's logger in the active configuration. Breakers outlive
// configurations, so a logger of one of those would be the wrong one after a
// reload, and also after one that was refused.
func Log() *zap.Logger {
	ctx := caddy.ActiveContext()
	if ctx.Context == nil {
		// Requests are answered, but Caddy still starts or is about to exit. An
		// empty context would give a logger for developers, on stderr.
		return caddy.Log().Named(string(source{}.CaddyModule().ID))
	}
	return ctx.Logger(source{})
}

// Emit sends an event to the subscribers of the active configuration. They are
// commands and webhooks, so nothing waits for them.
func Emit(name string, data map[string]any) {
	ctx := caddy.ActiveContext()
	app, err := ctx.AppIfConfigured("events")
	if err != nil {
		return // no configuration is active
	}
	events, ok := app.(*caddyevents.App)
	if !ok || !events.ShouldEmit(name) {
		return
	}
	// A context without module: Caddy would note the one that was loaded last as
	// the event's origin.
	go events.Emit(caddy.Context{Context: ctx}, name, data)
}
