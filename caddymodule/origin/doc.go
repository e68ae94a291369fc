// Package origin says which pages may use the routes from a browser: it checks the
// origin of a request, answers preflights, and puts the CORS headers on answers.
//
// The handler imports it. It knows requests and its own block of the Caddyfile, not
// the providers.
package origin
