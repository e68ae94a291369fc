// Package demo is the command chatkit-demo: chatkit in front of a simulated
// custom backend and a simulated OpenAI API, on loopback, with faults to switch
// on. It needs no account, no key and no network.
//
// It serves a web page (page/, served by page.go) that shows what happens. The
// page sends requests like any front end, and reads chatkit's metrics (status.go).
//
// The demo uses chatkit as an operator does, with a Caddyfile (demo.Caddyfile),
// and prints lines from Caddy's own access log. It imports Caddy and
// internal/sandbox. Only the root package imports it, for the command.
package demo
