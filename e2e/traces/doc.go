// Package traces tests the traces as operators get them: the real Caddy exports them to
// the OTLP receiver of OpenTelemetry's own collector. It holds tests only.
package traces
