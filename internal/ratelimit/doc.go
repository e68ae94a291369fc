// Package ratelimit limits how often something may happen: a single token
// bucket, or one for each of many keys in bounded memory.
//
// It does not depend on Caddy. Only caddymodule imports it, to limit requests
// and providers.
package ratelimit
