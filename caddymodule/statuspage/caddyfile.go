package statuspage

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

func init() {
	directive("chatkit_status", func() caddyhttp.MiddlewareHandler { return new(SitePage) })
	directive("chatkit_health", func() caddyhttp.MiddlewareHandler { return new(Health) })
}

// directive registers a directive without arguments. It stands before those that
// answer everything, and after authentication.
func directive(name string, handler func() caddyhttp.MiddlewareHandler) {
	httpcaddyfile.RegisterHandlerDirective(name, func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		h.Next() // the directive itself
		if err := block.NoArgs(h.Dispenser, name); err != nil {
			return nil, err
		}
		return handler(), block.NoBlock(h.Dispenser, name)
	})
	httpcaddyfile.RegisterDirectiveOrder(name, httpcaddyfile.After, "encode")
}
