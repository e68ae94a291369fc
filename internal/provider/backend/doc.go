// Package backend is the provider for an app's own backend: it asks for a
// session with the JSON of the quick reference and translates the answer.
//
// It is of the pure ring; caddymodule builds it and nobody else imports it.
package backend
