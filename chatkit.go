// Package chatkit plugs the chatkit handler, its providers and the commands
// chatkit-status, chatkit-breaker and chatkit-demo into a Caddy build:
//
//	xcaddy build --with github.com/caddy-chatkit/caddy-chatkit
//
// It holds nothing itself: the Caddy ring is in caddymodule, everything that
// knows no Caddy below internal.
package chatkit

import (
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/control"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/demo"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/webhook"
)
