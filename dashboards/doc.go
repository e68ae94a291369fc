// Package dashboards holds what operators load into Grafana and Prometheus: a
// dashboard, recording rules and alerts. Its only code is the tests that check
// them against the module. The program in generate writes the dashboard.
package dashboards

//go:generate go run ./generate chatkit-overview.json
