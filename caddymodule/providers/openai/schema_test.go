package openai

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// schema is the part of JSON Schema that the API's own description of the request
// body uses. Unknown properties are an error, although the description does not
// say so, because the API answers 400 to an unknown parameter.
type schema struct {
	kind       string // of Go's decoder: object, string, number, bool
	required   []string
	properties map[string]schema
	minLength  int
	min, max   float64 // of an integer
	enum       []string
	scalars    bool // an object of at most 64 scalars
}

// createChatSessionBody is CreateChatSessionBody of the API's description, 2.3.0.
var createChatSessionBody = schema{
	kind: "object", required: []string{"workflow", "user"},
	properties: map[string]schema{
		"user": {kind: "string", minLength: 1},
		"workflow": {kind: "object", required: []string{"id"}, properties: map[string]schema{
			"id":              {kind: "string"},
			"version":         {kind: "string"},
			"state_variables": {kind: "object", scalars: true},
			"tracing":         {kind: "object", properties: map[string]schema{"enabled": {kind: "bool"}}},
		}},
		"expires_after": {kind: "object", required: []string{"anchor", "seconds"}, properties: map[string]schema{
			"anchor":  {kind: "string", enum: []string{"created_at"}},
			"seconds": {kind: "number", min: 1, max: 600},
		}},
		"rate_limits": {kind: "object", properties: map[string]schema{
			"max_requests_per_1_minute": {kind: "number", min: 1, max: math.MaxInt64},
		}},
		"chatkit_configuration": {kind: "object", properties: map[string]schema{
			"automatic_thread_titling": {kind: "object", properties: map[string]schema{"enabled": {kind: "bool"}}},
			"file_upload": {kind: "object", properties: map[string]schema{
				"enabled":       {kind: "bool"},
				"max_file_size": {kind: "number", min: 1, max: 512},
				"max_files":     {kind: "number", min: 1, max: math.MaxInt64},
			}},
			"history": {kind: "object", properties: map[string]schema{
				"enabled":        {kind: "bool"},
				"recent_threads": {kind: "number", min: 1, max: math.MaxInt64},
			}},
		}},
	},
}

// validate returns what is wrong with body.
func validate(body []byte) error {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("body is not JSON: %w", err)
	}
	return createChatSessionBody.check("body", v)
}

func (s schema) check(at string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		if s.kind == "object" {
			return s.object(at, v)
		}
	case string:
		if s.kind == "string" && len(v) >= s.minLength && (s.enum == nil || slices.Contains(s.enum, v)) {
			return nil
		}
	case float64:
		if s.kind == "number" && v == math.Trunc(v) && v >= s.min && v <= s.max {
			return nil
		}
	case bool:
		if s.kind == "bool" {
			return nil
		}
	}
	return fmt.Errorf("%s: %v is not a valid %s", at, v, s.kind)
}

func (s schema) object(at string, v map[string]any) error {
	for _, name := range s.required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s: %s is missing", at, name)
		}
	}
	if s.scalars && len(v) > 64 {
		return fmt.Errorf("%s: %d entries", at, len(v))
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if s.scalars {
			switch v[name].(type) {
			case string, float64, bool:
				continue
			}
			return fmt.Errorf("%s: %s is not a scalar", at, name)
		}
		p, ok := s.properties[name]
		if !ok {
			return fmt.Errorf("%s: unknown parameter %s", at, name)
		}
		if err := p.check(at+"."+name, v[name]); err != nil {
			return err
		}
	}
	return nil
}

// The rules themselves are checked against the API's own example and against what
// it is known to refuse, which includes the example in its curl snippet.
func TestSchemaRules(t *testing.T) {
	const workflow = `"user":"u","workflow":{"id":"wf_1"}`
	cases := []struct{ name, body, err string }{
		{"the least", `{` + workflow + `}`, ""},
		{"all of it", `{"user":"user_123","workflow":{"id":"wf_1","version":"2",
			"state_variables":{"plan":"pro","seats":3,"trial":false},"tracing":{"enabled":true}},
			"expires_after":{"anchor":"created_at","seconds":600},"rate_limits":{"max_requests_per_1_minute":10},
			"chatkit_configuration":{"automatic_thread_titling":{"enabled":true},
			"file_upload":{"enabled":false,"max_file_size":512,"max_files":10},"history":{"enabled":true,"recent_threads":10}}}`, ""},
		{"no user", `{"workflow":{"id":"wf_1"}}`, "user is missing"},
		{"empty user", `{"user":"","workflow":{"id":"wf_1"}}`, "body.user"},
		{"no workflow", `{"user":"u"}`, "workflow is missing"},
		{"workflow without an id", `{"user":"u","workflow":{}}`, "id is missing"},
		{"null", `{` + workflow + `,"expires_after":null}`, "expires_after"},
		{"stale curl snippet", `{` + workflow + `,"expires_after":1800}`, "expires_after"},
		{"no anchor", `{` + workflow + `,"expires_after":{"seconds":60}}`, "anchor is missing"},
		{"other anchor", `{` + workflow + `,"expires_after":{"anchor":"last_active_at","seconds":60}}`, "anchor"},
		{"0 s", `{` + workflow + `,"expires_after":{"anchor":"created_at","seconds":0}}`, "seconds"},
		{"601 s", `{` + workflow + `,"expires_after":{"anchor":"created_at","seconds":601}}`, "seconds"},
		{"half a second", `{` + workflow + `,"expires_after":{"anchor":"created_at","seconds":0.5}}`, "seconds"},
		{"no requests", `{` + workflow + `,"rate_limits":{"max_requests_per_1_minute":0}}`, "max_requests"},
		{"unknown parameter", `{` + workflow + `,"model":"m1"}`, "unknown parameter model"},
		{"nested variable", `{"user":"u","workflow":{"id":"w","state_variables":{"a":{}}}}`, "not a scalar"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := validate([]byte(c.body))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}
