// Package providers registers the providers of the product: backend, openai and
// sendbird. It is imported for that effect only. The handler does not know them:
// it loads what the configuration names, as it does for a third party's.
package providers

import (
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers/backend"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers/openai"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers/sendbird"
)
