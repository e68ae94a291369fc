// Package limit has the limits of requests: how they are configured, how often a user or
// an address may ask for a session or have a request carried, how many of those may be
// open at once, and the pool in which the counts outlive a reload.
//
// The handler imports it; the configuration of providers shares its rates. It knows
// neither.
package limit
