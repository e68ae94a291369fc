// Package identity finds out who asks: the user that the site's own sources name, or
// a visitor without an account, who is known by a signed cookie. It keeps the key that
// signs it.
//
// The handler imports it, and the package origin for the bearer token. It knows
// requests, not the providers.
package identity
