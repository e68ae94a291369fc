// Package relay carries what comes after a session (streams, messages,
// WebSockets) to the first backend that takes it: breaker permits, failover
// before the first byte of an answer, bodies that can be sent again.
//
// A [Relay] is a round tripper: caddymodule puts it under Caddy's own
// reverse_proxy, which does everything else. It is of the pure ring and shares
// the links, gates and observers of package chain.
package relay
