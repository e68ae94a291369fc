// Package breaker holds the circuit breaker of one provider: [Breaker], which
// decides whether a call may go out and learns from how it ended, and
// [Override], by which an operator holds a provider's breakers in a state.
//
// The state machine is sony/gobreaker's two-step breaker. Around it stands what
// gobreaker does not have: a count of consecutive failures that no rolling
// window decays, slow calls that trip although they succeed, an open time that
// grows with every failed probe, cooldowns that a provider asks for, and the
// override.
//
// The package is of the pure ring: no Caddy, no zap, no Prometheus. The chain
// calls it through an interface of its own; caddymodule builds it and reads its
// state for metrics.
package breaker
