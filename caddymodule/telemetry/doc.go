// Package telemetry tells operators what happens: metrics, Caddy's events, and
// log lines that a storm of failures cannot flood.
//
// Metrics are functions of this package, one for each thing that can happen, so
// that the set of series and labels can be read here. Log lines and events always
// belong to the active configuration, see [Log] and [Emit]: a configuration that
// was refused says nothing.
//
// It knows names and reasons only. The handler and the registry import it.
package telemetry
