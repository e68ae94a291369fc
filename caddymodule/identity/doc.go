// Package identity finds out who asks.
//
// The handler and its package origin import it. It knows requests, not the providers.
package identity
