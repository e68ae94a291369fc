package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// withOrder returns a valid body with more fields.
func withOrder(more string) string { return openAIBody[:len(openAIBody)-1] + "," + more + "}" }

// withWorkflow returns a valid body with more fields in its workflow.
func withWorkflow(more string) string {
	return `{"user":"u1","workflow":{"id":"wf_1",` + more + `}}`
}

// variables is a state_variables field with n entries.
func variables(n int) string {
	vars := make([]string, n)
	for i := range vars {
		vars[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	return `"state_variables":{` + strings.Join(vars, ",") + "}"
}

// config starts a chatkit_configuration.
const config = `"chatkit_configuration":`

// orders are request bodies and the expected results.
var orders = []struct {
	name, body string
	status     int
	param      string // of the error
	code       string
}{
	{"least", openAIBody, 200, "", ""},
	{"version", withWorkflow(`"version":"2"`), 200, "", ""},
	{"version latest", withWorkflow(`"version":"latest"`), 200, "", ""},
	{"state variables", withWorkflow(`"state_variables":{"a":"b","c":3,"d":true,"e":1.5}`), 200, "", ""},
	{"64 state variables", withWorkflow(variables(64)), 200, "", ""},
	{"one second", withOrder(`"expires_after":{"anchor":"created_at","seconds":1}`), 200, "", ""},
	{"ten minutes", withOrder(`"expires_after":{"anchor":"created_at","seconds":600}`), 200, "", ""},
	{"everything", withOrder(`"rate_limits":{"max_requests_per_1_minute":1},"expires_after":{"seconds":9,"anchor":"created_at"},` +
		config + `{"automatic_thread_titling":{"enabled":false},"file_upload":{"enabled":true,"max_file_size":512,"max_files":1},"history":{"enabled":false,"recent_threads":1}}`), 200, "", ""},
	{"empty objects", withOrder(`"rate_limits":{},` + config + `{"file_upload":{},"history":{}}`), 200, "", ""},

	{"empty", "", 400, "", ""},
	{"not JSON", "{", 400, "", ""},
	{"array", "[]", 400, "", ""},
	{"null", "null", 400, "", ""},
	{"two values", openAIBody + "{}", 400, "", ""},
	{"no user", `{"workflow":{"id":"wf_1"}}`, 400, "user", "missing_required_parameter"},
	{"empty user", `{"user":"","workflow":{"id":"wf_1"}}`, 400, "user", "empty_string"},
	{"numeric user", `{"user":1,"workflow":{"id":"wf_1"}}`, 400, "user", "invalid_type"},
	{"null user", `{"user":null,"workflow":{"id":"wf_1"}}`, 400, "user", "invalid_type"},
	{"upper case user", `{"User":"u1","workflow":{"id":"wf_1"}}`, 400, "User", "unknown_parameter"},
	{"no workflow", `{"user":"u1"}`, 400, "workflow", "missing_required_parameter"},
	{"workflow is a string", `{"user":"u1","workflow":"wf_1"}`, 400, "workflow", "invalid_type"},
	{"null workflow", `{"user":"u1","workflow":null}`, 400, "workflow", "invalid_type"},
	{"no workflow id", `{"user":"u1","workflow":{}}`, 400, "workflow.id", "missing_required_parameter"},
	{"empty workflow id", `{"user":"u1","workflow":{"id":""}}`, 400, "workflow.id", "empty_string"},
	{"unknown workflow", `{"user":"u1","workflow":{"id":"other"}}`, 404, "", ""},
	{"numeric version", withWorkflow(`"version":2`), 400, "workflow.version", "invalid_type"},
	{"unknown workflow field", withWorkflow(`"x":2`), 400, "workflow.x", "unknown_parameter"},
	{"65 state variables", withWorkflow(variables(65)), 400, "workflow.state_variables", "invalid_value"},
	{"long state key", withWorkflow(`"state_variables":{"` + strings.Repeat("k", 65) + `":1}`), 400, "workflow.state_variables", "invalid_value"},
	{"object as state", withWorkflow(`"state_variables":{"a":{}}`), 400, "workflow.state_variables.a", "invalid_type"},
	{"array as state", withWorkflow(`"state_variables":{"a": [1]}`), 400, "workflow.state_variables.a", "invalid_type"},
	{"null as state", withWorkflow(`"state_variables":{"a":null}`), 400, "workflow.state_variables.a", "invalid_type"},
	{"state is an array", withWorkflow(`"state_variables":[]`), 400, "workflow.state_variables", "invalid_type"},
	{"tracing is a flag", withWorkflow(`"tracing":true`), 400, "workflow.tracing", "invalid_type"},
	{"tracing enabled is text", withWorkflow(`"tracing":{"enabled":"yes"}`), 400, "workflow.tracing.enabled", "invalid_type"},
	{"unknown parameter", withOrder(`"scope":{}`), 400, "scope", "unknown_parameter"},
	{"expiry is a number", withOrder(`"expires_after":1800`), 400, "expires_after", "invalid_type"},
	{"no anchor", withOrder(`"expires_after":{"seconds":60}`), 400, "expires_after.anchor", "missing_required_parameter"},
	{"other anchor", withOrder(`"expires_after":{"anchor":"last_active_at","seconds":60}`), 400, "expires_after.anchor", "invalid_value"},
	{"no seconds", withOrder(`"expires_after":{"anchor":"created_at"}`), 400, "expires_after.seconds", "missing_required_parameter"},
	{"0 seconds", withOrder(`"expires_after":{"anchor":"created_at","seconds":0}`), 400, "expires_after.seconds", "invalid_value"},
	{"601 seconds", withOrder(`"expires_after":{"anchor":"created_at","seconds":601}`), 400, "expires_after.seconds", "invalid_value"},
	{"half a second", withOrder(`"expires_after":{"anchor":"created_at","seconds":0.5}`), 400, "expires_after.seconds", "invalid_type"},
	{"text seconds", withOrder(`"expires_after":{"anchor":"created_at","seconds":"60"}`), 400, "expires_after.seconds", "invalid_type"},
	{"rate 0", withOrder(`"rate_limits":{"max_requests_per_1_minute":0}`), 400, "rate_limits.max_requests_per_1_minute", "invalid_value"},
	{"stale rate field", withOrder(`"rate_limits":{"max_requests_per_session":5}`), 400, "rate_limits.max_requests_per_session", "unknown_parameter"},
	{"file too large", withOrder(config + `{"file_upload":{"max_file_size":513}}`), 400, "chatkit_configuration.file_upload.max_file_size", "invalid_value"},
	{"no files", withOrder(config + `{"file_upload":{"max_files":0}}`), 400, "chatkit_configuration.file_upload.max_files", "invalid_value"},
	{"null threads", withOrder(config + `{"history":{"recent_threads":null}}`), 400, "chatkit_configuration.history.recent_threads", "invalid_type"},
	{"unknown feature", withOrder(config + `{"voice":{}}`), 400, "chatkit_configuration.voice", "unknown_parameter"},
}

func TestOpenAIRequests(t *testing.T) {
	s, c := kinds[1].run(t, sandbox.Options{Key: testKey}), newClient(t)
	for _, tc := range orders {
		t.Run(tc.name, func(t *testing.T) {
			got := do(c, newRequest(t.Context(), t, s.URL()+openAIPath, tc.body))
			if got.status != tc.status {
				t.Fatalf("got %d %s, want %d", got.status, got.body, tc.status)
			}
			if tc.status == 200 {
				wantFields(t, got.object(t), sessionFields)
				return
			}
			wantProblem(t, kinds[1], got)
			e, _ := got.object(t)["error"].(map[string]any)
			if text(e["param"]) != tc.param || text(e["code"]) != tc.code {
				t.Errorf("got %s, want param %q, code %q", got.body, tc.param, tc.code)
			}
		})
	}
}
