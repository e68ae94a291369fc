// Package dashboards holds what operators load into Grafana and Prometheus: a
// dashboard, recording rules and alerts. It has no code but the tests that hold
// them against the product; the dashboard is written by the program in generate.
package dashboards

//go:generate go run ./generate chatkit-overview.json
