// Command caddy is Caddy with its standard modules, the chatkit handler and a demo
// of it, chatkit-demo.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/demo"
)

func main() { caddycmd.Main() }
