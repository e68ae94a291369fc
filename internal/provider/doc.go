// Package provider holds what the providers that speak JSON over HTTP share: a
// [Client] that sends a request and reads the answer, limited in size.
//
// Each provider has a package below this one, which builds the request, holds
// the credentials and checks the answer. These packages do not depend on Caddy:
// caddymodule wraps each in a Caddy module and passes in Caddy's transport.
package provider
