package main

// query is an expression and the legend of its series. {I} and {P} in it stand for
// the matchers of the dashboard's variables; see [options.matchers].
type query struct{ expr, legend string }

// targets returns the queries of a panel: instant queries for stats and tables,
// range queries for all others.
func targets(instant bool, format string, queries []query) []target {
	all := make([]target, len(queries))
	for i, q := range queries {
		all[i] = target{
			RefID: string(rune('A' + i)), Datasource: prometheus(), Expr: q.expr, LegendFormat: q.legend,
			EditorMode: "code", Range: !instant, Instant: instant, Format: format,
		}
	}
	return all
}

// newPanel returns a panel with what all panels have in common.
func newPanel(kind, title, unit, description string) *panel {
	return &panel{
		Type: kind, Title: title, Description: description, Datasource: prometheus(),
		FieldConfig: &fields{
			Defaults: field{
				Unit: unit, Color: object{"mode": "palette-classic"}, Mappings: []object{},
				Thresholds: thresholds{Mode: "absolute", Steps: []step{{Color: "green"}}},
			},
			Overrides: []override{},
		},
		GridPos: place{W: 8, H: 8},
	}
}

// series returns a panel with a curve per series.
func series(title, unit, description string, queries ...query) *panel {
	p := newPanel("timeseries", title, unit, description)
	p.Targets = targets(false, "time_series", queries)
	p.FieldConfig.Defaults.Min = new(0.)
	p.FieldConfig.Defaults.Custom = object{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false,
		"stacking": object{"mode": "none", "group": "A"}, "thresholdsStyle": object{"mode": "off"},
	}
	p.Options = object{
		"legend":  object{"showLegend": true, "displayMode": "table", "placement": "bottom", "calcs": []string{"lastNotNull", "max"}},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
	return p
}

// stat returns a panel with one number per series.
func stat(title, unit, description string, queries ...query) *panel {
	p := newPanel("stat", title, unit, description)
	p.Targets = targets(true, "time_series", queries)
	p.FieldConfig.Defaults.Color = object{"mode": "thresholds"}
	p.Options = object{
		"colorMode": "background", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto", "wideLayout": true,
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	return p
}

// stacked stacks the curves.
func (p *panel) stacked() *panel {
	p.FieldConfig.Defaults.Custom["stacking"] = object{"mode": "normal", "group": "A"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 40
	return p
}

// limits sets the thresholds: the first color, then the value at which each
// further color starts. Time series show them as dashed lines.
func (p *panel) limits(first string, then ...step) *panel {
	p.FieldConfig.Defaults.Thresholds.Steps = append([]step{{Color: first}}, then...)
	if p.Type == "timeseries" {
		p.FieldConfig.Defaults.Custom["thresholdsStyle"] = object{"mode": "dashed"}
	}
	return p
}

// from returns a threshold: the color starts at the value.
func from(value float64, color string) step { return step{Color: color, Value: new(value)} }

// scale sets the ends of the axis.
func (p *panel) scale(low, high float64) *panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = new(low), new(high)
	return p
}

// decimals sets the number of decimal places.
func (p *panel) decimals(n int) *panel {
	p.FieldConfig.Defaults.Decimals = new(n)
	return p
}

// empty sets the text shown when there is no value.
func (p *panel) empty(text string) *panel {
	p.FieldConfig.Defaults.NoValue = text
	return p
}

// wide sets the panel's width, in columns of 24.
func (p *panel) wide(columns int) *panel {
	p.GridPos.W = columns
	return p
}
