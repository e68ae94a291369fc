// Package turns has the turns of the chatkit route: how they are configured, whose they
// are, what refuses them, who answers them, how their clients leave, and the pool in
// which they outlive a reload.
//
// The handler imports it, and hands it requests that are ready to be sent to a backend.
// What a turn is, and when it ends, internal/turn decides; how a backend is asked,
// internal/relay.
package turns
