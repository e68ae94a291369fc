// Package chain asks the providers of a route in order of preference until one
// gives a session: time budget, breaker permits, retries, classification.
//
// It declares the interfaces it consumes: [Provider], [Gate] and [Observer].
// It is of the pure ring: no Caddy, no zap, no Prometheus. caddymodule builds
// chains and runs them; nobody else imports it.
package chain
