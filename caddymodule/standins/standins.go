// Package standins registers the stand-ins of the product: say, openai_chat and
// openai_responses. It is imported for that effect only. The handler does not know
// them: it loads what the configuration names, as it does for a third party's.
package standins

import (
	// Each registers its module.
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins/openaichat"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins/openairesponses"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins/say"
)
