// Package caddymodule is the HTTP handler chatkit. It and the packages below it are
// the Caddy ring: the only ones that know Caddy, zap and Prometheus.
//
// A request goes through the files in this order. handler.go claims it, claimed.go
// begins the answer. A session request goes through session_request.go: origin (the
// package origin), rate limits (limit), user (identity), body (body.go), model
// (models.go), the chain of internal/chain, then session_answer.go or a problem
// (package problem). A carried request goes through carried_request.go and
// carried_proxy.go, which is Caddy's reverse_proxy over internal/relay, and leaves by
// carried_writer.go; on the chatkit route the package turns stands between the proxy
// and the relay. An app with an OpenAI SDK comes by openaiapi.go and cancel_request.go.
//
// provision.go is the one place where all of it is wired together. The handler
// loads its providers as modules (package guest) and knows none of them.
package caddymodule
