// Package bulkhead bounds how many attempts at one provider are under way at once, so
// that a provider that hangs cannot hold the whole process.
//
// The package is of the pure ring: no Caddy, no zap, no Prometheus. The chain calls it
// through an interface of its own; caddymodule builds it and reads it for metrics.
package bulkhead
