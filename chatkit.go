// Package chatkit plugs the chatkit handler, its providers and stand-ins, the status page and the commands
// chatkit-status, chatkit-breaker, chatkit-health and chatkit-drill into a Caddy build:
//
//	xcaddy build --with github.com/caddy-chatkit/caddy-chatkit
//
// It holds nothing itself: the Caddy ring is in caddymodule, everything that does
// not know Caddy is in internal, provider and session.
package chatkit

import (
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/control"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/statuspage"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/webhook"
)
