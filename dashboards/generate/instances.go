package main

import "fmt"

// column is a column of the instances table.
type column struct {
	title, unit, expr string
	steps             []step
}

// ours limits a metric of Prometheus or Caddy to instances of this module: other
// programs may expose metrics of the same name.
const ours = ` and on (job, instance) caddy_chatkit_config_info{I})`

var columns = []column{
	{"Uptime", "s", "max by (instance) ((time() - process_start_time_seconds{I})" + ours,
		[]step{{Color: "orange"}, from(600, "green")}},
	{"Configuration loaded", "bool_yes_no", "min by (instance) (caddy_config_last_reload_successful{I}" + ours,
		[]step{{Color: "red"}, from(1, "green")}},
	{"Providers", "none", "count by (instance) (caddy_chatkit_config_info{I})",
		[]step{{Color: "red"}, from(1, "text")}},
	{"Breakers not closed", "none", `sum by (instance) (caddy_chatkit_breaker_state{I,state!="closed"})`,
		[]step{{Color: "green"}, from(1, "red")}},
	{"Sessions", "reqps", `sum by (instance) (rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback"}[$__rate_interval]))`,
		[]step{{Color: "text"}}},
	{"Failed", "reqps", `sum by (instance) (rate(caddy_chatkit_sessions_total{I,outcome="failed"}[$__rate_interval]))`,
		[]step{{Color: "green"}, from(.001, "red")}},
	{"Streams in flight", "short", "sum by (instance) (caddy_chatkit_streams_in_flight{I})",
		[]step{{Color: "text"}, from(5000, "red")}},
	{"Memory", "bytes", "max by (instance) (process_resident_memory_bytes{I}" + ours,
		[]step{{Color: "text"}}},
}

// instances is the row "Instances": one table with a line per instance.
func instances() []*panel {
	p := newPanel("table", "Instances", "short",
		"One line per instance. Each instance has its own breakers: if a breaker is open on one instance only, that instance has a network problem.")
	p.GridPos = place{W: 24, H: 8}
	p.Options = object{"showHeader": true, "cellHeight": "sm"}
	names := object{"instance": "Instance"}
	queries := make([]query, len(columns))
	for i, c := range columns {
		queries[i].expr = c.expr
		names[fmt.Sprintf("Value #%c", 'A'+i)] = c.title
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, c.override())
	}
	p.Targets = targets(true, "table", queries)
	p.Transformations = []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": object{"Time": true}, "renameByName": names, "indexByName": object{}}},
	}
	return []*panel{p}
}

// override returns how the values of a column are displayed.
func (c *column) override() override {
	return override{
		Matcher: object{"id": "byName", "options": c.title},
		Properties: []object{
			{"id": "unit", "value": c.unit},
			{"id": "thresholds", "value": thresholds{Mode: "absolute", Steps: c.steps}},
			{"id": "custom.cellOptions", "value": object{"type": "color-text"}},
		},
	}
}
