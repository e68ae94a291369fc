// Package guest has the providers of the chain as they are configured: what the
// handler says of each of them whatever its module, its breaker above all, the block of
// the Caddyfile, and how it becomes a target of the chain.
//
// The handler imports it. It takes the state of providers from the registry and loads
// their modules from Caddy, and knows none of them.
package guest
