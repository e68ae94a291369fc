package caddymodule

import (
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// ProviderNamespace is the namespace of provider modules. A module in it has to
// implement [Provider]; [caddyfile.Unmarshaler] makes it usable in a Caddyfile.
const ProviderNamespace = "http.handlers.chatkit.providers"

// What a third-party provider needs.
type (
	// Provider creates sessions.
	Provider = chain.Provider
	// Request is one session request.
	Request = session.Request
	// Session is what a provider has created.
	Session = session.Session
	// Failure is what a provider returns instead.
	Failure = session.Failure
	// Secret is a credential that does not print.
	Secret = session.Secret
	// Reason says why an attempt failed.
	Reason = session.Reason
)
