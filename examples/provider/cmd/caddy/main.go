// Command caddy is Caddy with its standard modules, chatkit and the provider acme.
package main

import (
	_ "example.com/caddy-chatkit-acme"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit"
)

func main() { caddycmd.Main() }
