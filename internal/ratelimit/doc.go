// Package ratelimit is how often something may happen: token buckets, one alone or
// one for each of many keys in bounded memory.
//
// It is of the pure ring: no Caddy, no zap, no Prometheus. caddymodule limits
// requests and providers with it; nobody else imports it.
package ratelimit
