// Package redisstore is the engine of a fleet on Redis or Valkey: one server, a
// Sentinel or a Cluster. It is the only package that knows Redis.
//
// [Open] does not connect. Every method ends with its context; nothing is tried
// twice, because who asks goes on without an answer, and facts are told again.
//
// It does not depend on Caddy. Only caddymodule/shared imports it.
package redisstore
