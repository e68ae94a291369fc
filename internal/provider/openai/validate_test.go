package openai_test

import (
	"strings"
	"testing"
)

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
