// Command caddy is Caddy with its standard modules and the chatkit handler.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit"
)

func main() { caddycmd.Main() }
