// Package limit has the rate limits: how they are configured, how often a user or an
// address may ask for a session, and the pool in which their counts outlive a reload.
//
// The handler imports it; the configuration of providers shares its rates. It knows
// neither.
package limit
