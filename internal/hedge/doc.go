// Package hedge decides when a second provider is asked for a session because the first
// one takes long: after a fixed time or after the 95th percentile of its recent answers,
// and for no more than a tenth of the requests.
//
// It is of the pure ring. The chain asks it, the registry keeps it, and caddymodule/guest
// makes it.
package hedge
