// Package demo is the command chatkit-demo: the product in front of stand-ins
// for a custom backend and for OpenAI, on loopback, with faults to switch on.
// It needs no account, no key and no network.
//
// It serves a page (page/, by page.go) that shows what happens, from requests
// like any front end's and from the product's metrics (status.go).
//
// It uses the product as an operator does, by a Caddyfile (demo.Caddyfile), and
// reads what it prints from Caddy's own access log. It imports Caddy and
// internal/sandbox; only the root package imports it, for the command.
package demo
