// Package dashboards holds what operators load into Grafana and Prometheus: a
// dashboard, recording rules and alerts. README.md lists the files. The program in
// generate writes the dashboard, and all of them for another objective.
package dashboards

import "embed"

//go:generate go run ./generate -out .

// Rules has rules.yaml and alerts.yaml.
//
//go:embed rules.yaml alerts.yaml
var Rules embed.FS
