// Package backend is the provider for an app's own backend: it requests a
// session with the JSON of the quick reference and translates the answer.
//
// It does not depend on Caddy. Only caddymodule/providers/backend imports it.
package backend
