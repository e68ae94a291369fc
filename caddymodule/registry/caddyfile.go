package registry

import (
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
)

func init() { httpcaddyfile.RegisterGlobalOption("chatkit", parseGlobal) }

// parseGlobal sets up the app from the global options. Syntax:
//
//	chatkit {
//		shared <redis-url> {
//			...
//		}
//	}
func parseGlobal(d *caddyfile.Dispenser, given any) (any, error) {
	d.Next() // the option itself
	if given != nil {
		return nil, d.Err("global option chatkit is given twice")
	}
	if err := block.NoArgs(d, "chatkit"); err != nil {
		return nil, err
	}
	a := new(App)
	if err := a.Options().Parse(d, "global chatkit", nil); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: appID, Value: caddyconfig.JSON(a, nil)}, nil
}

// Options are the lines of the global chatkit block.
func (a *App) Options() block.Options {
	return block.Options{"shared": {Parse: func(d *caddyfile.Dispenser) error {
		a.Shared = new(shared.FleetConfig)
		return a.Shared.UnmarshalCaddyfile(d)
	}}}
}
