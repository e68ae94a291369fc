// Package examples is a set of Caddyfiles, one per idea; README.md lists them.
// It holds tests only: each Caddyfile is loaded as it stands, and then served by
// the real Caddy, in front of stand-ins, and asked for what it is about. The folder
// provider is a Go module of its own.
package examples
