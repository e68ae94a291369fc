package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(AdminAPI)) }

// AdminAPI is the product's part of Caddy's admin API.
//
// It has no routes yet. It is here because Caddy replaces the admin server
// before it knows whether it will accept a configuration: after one that was
// rejected, the admin endpoint's /metrics is that of the rejected configuration,
// where no handler got as far as registering its metrics. Admin modules always
// do, so the series stay.
type AdminAPI struct{}

// CaddyModule returns the Caddy module information.
func (*AdminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.chatkit",
		New: func() caddy.Module { return new(AdminAPI) },
	}
}

// Provision registers the metrics with the admin server's registry.
func (*AdminAPI) Provision(ctx caddy.Context) error { return register(ctx.GetMetricsRegistry()) }

// Routes implements [caddy.AdminRouter].
func (*AdminAPI) Routes() []caddy.AdminRoute { return nil }

// Interface guards.
var (
	_ caddy.Provisioner = (*AdminAPI)(nil)
	_ caddy.AdminRouter = (*AdminAPI)(nil)
)
