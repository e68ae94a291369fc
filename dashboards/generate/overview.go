package main

// blob is the base URL of the repository's documents.
const blob = "https://github.com/caddy-chatkit/caddy-chatkit/blob/main/"

// row is a row of the dashboard and its panels.
type row struct {
	title  string
	panels []*panel
}

// overview returns the dashboard.
func (o options) overview() *dashboard {
	d := &dashboard{
		UID: "chatkit-overview", Title: "caddy-chatkit: overview",
		Description: "Which providers serve the chat's sessions, and why. From top to bottom: are users affected, by what, how slow is it, since when.",
		Tags:        []string{"caddy", "chatkit"}, SchemaVersion: 39, Editable: true, GraphTooltip: 1,
		Refresh: "30s", Time: object{"from": "now-3h", "to": "now"}, Timezone: "browser",
		Annotations: annotations(o), Links: links(), Templating: variables(o),
		Panels: layOut([]row{
			{"Is it working?", working(o)},
			{"Who serves and why", serving()},
			{"How fast", fast()},
			{"Streams", streams()},
			{"ChatKit turns", turns()},
			{"Stand-ins", standIns()},
			{"Protection", protection()},
			{"Fleet", fleet()},
			{"Instances", instances()},
		}),
	}
	fill := o.matchers()
	for _, p := range d.Panels {
		for i := range p.Targets {
			p.Targets[i].Expr = fill.Replace(p.Targets[i].Expr)
		}
	}
	return d
}

// layOut numbers the panels and places them on the grid, left to right and row
// by row.
func layOut(rows []row) (all []*panel) {
	id, y := 0, 0
	for _, r := range rows {
		id++
		all = append(all, &panel{ID: id, Type: "row", Title: r.title, Collapsed: new(false), GridPos: place{H: 1, W: 24, Y: y}})
		y++
		x, height := 0, 0
		for _, p := range r.panels {
			if x+p.GridPos.W > 24 {
				x, y, height = 0, y+height, 0
			}
			id++
			p.ID, p.GridPos.X, p.GridPos.Y = id, x, y
			x, height = x+p.GridPos.W, max(height, p.GridPos.H)
			all = append(all, p)
		}
		y += height
	}
	return all
}

// variables returns the dashboard's variables.
func variables(o options) object {
	const info = "caddy_chatkit_config_info"
	all, selected := info, ""
	if o.selector != "" {
		all, selected = info+"{"+o.selector+"}", o.selector+","
	}
	return object{"list": []object{
		{
			"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
			"multi": false, "includeAll": false, "current": object{}, "options": []any{}, "hide": 0, "regex": "",
		},
		labelVariable("job", "Job", "label_values("+all+", job)"),
		labelVariable("instance", "Instance", "label_values("+info+"{"+selected+`job=~"$job"}, instance)`),
		labelVariable("provider", "Provider", "label_values("+info+"{"+selected+`job=~"$job",instance=~"$instance"}, provider)`),
	}}
}

// labelVariable returns a variable with the values of a label, by default all.
func labelVariable(name, label, query string) object {
	return object{
		"name": name, "label": label, "type": "query", "datasource": prometheus(), "definition": query,
		"query":   object{"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
		"refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*", "hide": 0, "regex": "",
		"current": object{"text": []string{"All"}, "value": []string{"$__all"}}, "options": []any{},
	}
}

// annotations returns the marks for configuration reloads.
func annotations(o options) object {
	return object{"list": []object{{
		"name": "Configuration loaded", "enable": true, "hide": false, "iconColor": "blue", "datasource": prometheus(),
		"expr":        o.matchers().Replace("changes(caddy_config_last_reload_success_timestamp_seconds{I}[$__rate_interval]) > 0"),
		"titleFormat": "Configuration loaded", "textFormat": "{{instance}}", "step": "60s", "useValueForTime": false,
	}}}
}

func links() []object {
	return []object{{
		"title": "Runbook", "type": "link", "icon": "doc", "url": blob + "dashboards/RUNBOOK.md", "targetBlank": true,
		"asDropdown": false, "includeVars": false, "keepTime": false, "tags": []string{}, "tooltip": "What to do about each alert",
	}}
}
