package main

// object is a JSON object; encoding/json writes its keys in order.
type object = map[string]any

// dashboard is what Grafana imports, as far as it does not fill it in itself.
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

// panel is a panel, or a row, which has a title and a place only.
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

// place is where a panel stands on the grid, which is 24 columns wide.
type place struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// fields is how the values of a panel look.
type fields struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

// field is how a value looks.
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

// override is how one of the values looks that differs from the others.
type override struct {
	Matcher    object   `json:"matcher"`
	Properties []object `json:"properties"`
}

// thresholds are the values from which on a color is used.
type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is a threshold; the first one has no value and holds below the second.
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

// prometheus is the data source the reader of the dashboard has chosen.
func prometheus() object { return object{"type": "prometheus", "uid": "${datasource}"} }
