package main

// object is a JSON object; encoding/json writes its keys in order.
type object = map[string]any

// dashboard is what Grafana imports, without the fields that Grafana fills in.
type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Editable      bool     `json:"editable"`
	GraphTooltip  int      `json:"graphTooltip"`
	Refresh       string   `json:"refresh"`
	Time          object   `json:"time"`
	Timezone      string   `json:"timezone"`
	Annotations   object   `json:"annotations"`
	Links         []object `json:"links"`
	Templating    object   `json:"templating"`
	Panels        []*panel `json:"panels"`
}

// panel is a panel, or a row, which has only a title and a place.
type panel struct {
	ID              int      `json:"id"`
	Type            string   `json:"type"`
	Title           string   `json:"title"`
	Description     string   `json:"description,omitempty"`
	Collapsed       *bool    `json:"collapsed,omitempty"`
	GridPos         place    `json:"gridPos"`
	Datasource      object   `json:"datasource,omitempty"`
	FieldConfig     *fields  `json:"fieldConfig,omitempty"`
	Options         object   `json:"options,omitempty"`
	Targets         []target `json:"targets,omitempty"`
	Transformations []object `json:"transformations,omitempty"`
}

// place is a panel's position on the grid, which is 24 columns wide.
type place struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// fields says how the values of a panel are displayed.
type fields struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

// field says how a value is displayed.
type field struct {
	Unit       string     `json:"unit"`
	Decimals   *int       `json:"decimals,omitempty"`
	Min        *float64   `json:"min,omitempty"`
	Max        *float64   `json:"max,omitempty"`
	NoValue    string     `json:"noValue,omitempty"`
	Color      object     `json:"color"`
	Custom     object     `json:"custom,omitempty"`
	Mappings   []object   `json:"mappings"`
	Thresholds thresholds `json:"thresholds"`
}

// override says how a value that differs from the others is displayed.
type override struct {
	Matcher    object   `json:"matcher"`
	Properties []object `json:"properties"`
}

// thresholds are the values at which the color changes.
type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is a threshold. The first one has no value: it applies below the second.
type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// target is a query.
type target struct {
	RefID        string `json:"refId"`
	Datasource   object `json:"datasource"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat,omitempty"`
	EditorMode   string `json:"editorMode"`
	Range        bool   `json:"range"`
	Instant      bool   `json:"instant"`
	Format       string `json:"format"`
}

// prometheus returns the data source that the user has selected.
func prometheus() object { return object{"type": "prometheus", "uid": "${datasource}"} }
