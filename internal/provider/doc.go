// Package provider holds what the providers that speak JSON over HTTP share:
// one [Client] that sends a request and reads the answer within bounds.
//
// One package below it per provider builds the request, owns the credential and
// judges the answer. All are of the pure ring; caddymodule wraps each in a Caddy
// module and hands it the round tripper of Caddy's own transport.
package provider
