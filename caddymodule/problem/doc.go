// Package problem has the error answers of ours: what they say, with which status
// and code, and the words for what became of the providers.
//
// The handler and its parts (origin, identity, limit) import it. It knows the chain's
// trail and no Caddy: whoever has a problem writes it.
package problem
