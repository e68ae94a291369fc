// Package standby has the stand-ins of a chatkit route as they are configured: what
// stands around each of them whatever its module (breaker, time limit, cap), the block
// of the Caddyfile, and the chain that asks one after another.
//
// The handler imports it. It takes the state of stand-ins from the registry, as
// providers have it, loads their modules from Caddy, and knows none of them.
package standby
