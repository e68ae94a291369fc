// Package relay takes carried requests (streams, messages, WebSockets) to the
// first backend that accepts them: breaker permits, failover before the first
// byte of an answer, bodies that can be sent again.
//
// [Relay.Do] is a round trip: caddymodule puts it under Caddy's own
// reverse_proxy, which does everything else. The package is of the pure ring and
// makes its attempts with package chain.
package relay
