// Package caddymodule is the Caddy ring: the HTTP handler chatkit, its provider
// modules, their Caddyfile, metrics and logs. It and the packages below it are
// the only ones that know Caddy, zap and Prometheus.
//
// Third-party providers import it for the types they need ([Provider],
// [Request], [Session], [Failure]) and register themselves in the namespace
// [ProviderNamespace].
//
// A request goes through the files in this order: handler.go claims it, cors.go,
// user.go and body.go prepare it, the chain of internal/chain answers it,
// answer.go and refusal.go write what it gave, observer.go and metrics.go tell
// operators. What comes after a session is carried: relayed.go, over relayer.go
// and Caddy's reverse_proxy, by internal/relay. provision.go is the one place
// where all of it is wired together.
package caddymodule
