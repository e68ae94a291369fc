package main

import "strings"

// query is an expression and what its series are called.
type query struct{ expr, legend string }

// The words in expressions that stand for the variables' matchers.
var matchers = strings.NewReplacer(
	"{I,P,", `{instance=~"$instance",provider=~"$provider",`,
	"{I,P}", `{instance=~"$instance",provider=~"$provider"}`,
	"{I,", `{instance=~"$instance",`,
	"{I}", `{instance=~"$instance"}`,
)

// targets are the queries of a panel. Those of stats and tables ask for one
// moment, all others for a range.
func targets(instant bool, format string, queries []query) []target {
	all := make([]target, len(queries))
	for i, q := range queries {
		all[i] = target{
			RefID: string(rune('A' + i)), Datasource: prometheus(), Expr: matchers.Replace(q.expr), LegendFormat: q.legend,
			EditorMode: "code", Range: !instant, Instant: instant, Format: format,
		}
	}
	return all
}

// newPanel is what all panels have in common.
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

// series is a panel with a curve for each series.
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

// stat is a panel with one number for each series.
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

// stacked puts the curves on top of each other.
func (p *panel) stacked() *panel {
	p.FieldConfig.Defaults.Custom["stacking"] = object{"mode": "normal", "group": "A"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 40
	return p
}

// limits sets the thresholds: a color, then the value from which on the next
// color holds, and so on. Curves have them as dashed lines.
func (p *panel) limits(first string, then ...step) *panel {
	p.FieldConfig.Defaults.Thresholds.Steps = append([]step{{Color: first}}, then...)
	if p.Type == "timeseries" {
		p.FieldConfig.Defaults.Custom["thresholdsStyle"] = object{"mode": "dashed"}
	}
	return p
}

// from is a threshold.
func from(value float64, color string) step { return step{Color: color, Value: new(value)} }

// scale sets the ends of the axis.
func (p *panel) scale(low, high float64) *panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = new(low), new(high)
	return p
}

// decimals sets how many digits stand behind the point.
func (p *panel) decimals(n int) *panel {
	p.FieldConfig.Defaults.Decimals = new(n)
	return p
}

// empty is what stands where there is no value.
func (p *panel) empty(text string) *panel {
	p.FieldConfig.Defaults.NoValue = text
	return p
}

// wide sets how many of the 24 columns a panel takes.
func (p *panel) wide(columns int) *panel {
	p.GridPos.W = columns
	return p
}
