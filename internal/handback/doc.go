// Package handback tells an app what was said while it was away: one signed POST for
// each thread when a backend is back, at least once, as Standard Webhooks has it. What
// is to be told stands in the threads themselves (package threads), so there is no
// second queue, and what was deleted is not told.
//
// It depends on package threads and the library of Standard Webhooks, and not on
// Caddy. Only caddymodule imports it.
package handback
