// Package dashboards holds the shipped dashboard, rules and alerts against a
// real Prometheus, and the product's metrics against promtool. It holds tests
// only.
package dashboards
