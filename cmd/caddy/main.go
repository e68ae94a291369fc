// Command caddy is Caddy with its standard modules, the chatkit handler and a demo
// of it, chatkit-demo.
package main

import (
	"cmp"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/demo"
	"github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo"
)

func main() {
	// "caddy version" prints this before Caddy's own version.
	caddy.CustomVersion = cmp.Or(caddy.CustomVersion, "caddy-chatkit "+buildinfo.Read().Version+", Caddy")
	caddycmd.Main()
}
