package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// requestCase is a request, as a change to a valid one, and the answer.
type requestCase struct {
	name, path, body string
	header           string // changed: "Name: value"
	status           int
	want             string // parts of the answer, separated by spaces
}

// backendCases are requests to the backend: sessions and streams.
var backendCases = []requestCase{
	{"user in body", backendPath, `{"user_id":"u1"}`, "", 200, `"model":"custom-v1" "session_id":"session-`},
	{"all fields", backendPath, `{"user_id":"u1","model":"fast","metadata":{"a":[1]},"x":1}`, "", 200, `"model":"fast"`},
	{"user in query", backendPath + "?user_id=u1", "", "", 200, `"model":"custom-v1"`},
	{"nothing", backendPath, "", "", 422, `"loc":["query","user_id"] "type":"missing"`},
	{"no user", backendPath, `{"User_ID":"u1"}`, "", 422, `{"type":"missing","loc":["body","user_id"], "input":{"User_ID":"u1"}}`},
	{"empty user", backendPath, `{"user_id":""}`, "", 422, `"type":"string_too_short"`},
	{"numeric user", backendPath, `{"user_id":5}`, "", 422, `"type":"string_type","loc":["body","user_id"] "input":5`},
	{"numeric model, scalar metadata", backendPath, `{"user_id":"u1","model":5,"metadata":"x"}`, "", 422, `"loc":["body","model"] "type":"dict_type"`},
	{"array", backendPath, `[1]`, "", 422, `"type":"model_attributes_type"`},
	{"not JSON", backendPath, `user_id=u1`, "", 422, `"type":"json_invalid"`},
	{"wrong key", backendPath, backendBody, "Authorization: Bearer other", 401, ""},
	{"too large", backendPath, strings.Repeat("x", 1<<20+1), "", 413, `"detail"`},
	{"no such path", backendPath + "/x", backendBody, "", 404, `{"detail":"Not`},

	{"stream, a stranger", streamPath, streamBody, "Authorization: Bearer session-of-nobody", 401, ""},
	{"stream, no message", streamPath, `{}`, "", 422, `"loc":["body","message"]`},
}

// openAICases are requests to OpenAI; config and expiry begin an optional field.
var openAICases = []requestCase{
	{"least and most", openAIPath, withOrder(expiry + `"anchor":"created_at","seconds":600},` + config + `{"file_upload":{"max_file_size":512,"max_files":1}}`), "", 200, ""},
	{"unknown parameter", openAIPath, withOrder(`"scope":{}`), "", 400, `"param":"scope" "unknown_parameter"`},
	{"beta among others", openAIPath, openAIBody, "OpenAI-Beta: assistants=v2, chatkit_beta=v1", 200, ""},
	{"no beta", openAIPath, openAIBody, "OpenAI-Beta", 400, `"invalid_beta"`},
	{"no key", openAIPath, openAIBody, "Authorization", 401, `"code":null`},
	{"wrong key", openAIPath, openAIBody, "Authorization: Bearer sk-other", 401, `"invalid_api_key"`},
	{"not JSON", openAIPath, "{", "", 400, `"code":null`},
	{"no user", openAIPath, `{"workflow":{"id":"wf_1"}}`, "", 400, `"param":"user" "missing_required_parameter"`},
	{"empty user", openAIPath, `{"user":"","workflow":{"id":"wf_1"}}`, "", 400, `"param":"user" "empty_string"`},
	{"workflow is a string", openAIPath, `{"user":"u1","workflow":"wf_1"}`, "", 400, `"param":"workflow" "invalid_type"`},
	{"unknown workflow", openAIPath, `{"user":"u1","workflow":{"id":"other"}}`, "", 404, `'other'`},
	{"65 state variables", openAIPath, withWorkflow(variables(65)), "", 400, `"param":"workflow.state_variables" "invalid_value"`},
	{"long state key", openAIPath, withWorkflow(`"state_variables":{"` + strings.Repeat("k", 65) + `":1}`), "", 400, `"param":"workflow.state_variables" "invalid_value"`},
	{"object as state", openAIPath, withWorkflow(`"state_variables":{"a":{}}`), "", 400, `"param":"workflow.state_variables.a" "invalid_type"`},
	{"no seconds", openAIPath, withOrder(expiry + `"anchor":"created_at"}`), "", 400, `"param":"expires_after.seconds" "missing_required_parameter"`},
	{"other anchor", openAIPath, withOrder(expiry + `"anchor":"last_active_at","seconds":60}`), "", 400, `"param":"expires_after.anchor" "invalid_value"`},
	{"601 seconds", openAIPath, withOrder(expiry + `"anchor":"created_at","seconds":601}`), "", 400, `"param":"expires_after.seconds" "invalid_value"`},
	{"half a second", openAIPath, withOrder(expiry + `"anchor":"created_at","seconds":0.5}`), "", 400, `"param":"expires_after.seconds" "invalid_type"`},
	{"no such session", openAIPath + "/cksess_x/cancel", "", "", 404, `'cksess_x'`},
	{"no such path", openAIPath + "/a/b/cancel", "", "", 404, ""},
}

// sendbirdCases are requests to Sendbird for tokens and for new users.
var sendbirdCases = []requestCase{
	{"escaped user", usersPath + "/a%2Fb%40%C3%BC/token", "{}", "", 200, `"token":`},
	{"dots", usersPath + "/%2E%2E/token", "{}", "", 200, `"token":`},
	{"end in seconds", sendbirdPath, fmt.Sprintf(`{"expires_at":%d}`, time.Now().Unix()+300), "", 400, "400111"},
	{"end as text", sendbirdPath, `{"expires_at":"soon"}`, "", 400, "400101"},
	{"not labelled as JSON", sendbirdPath, "{}", "Content-Type: text/plain", 400, "400403"},
	{"a list", sendbirdPath, "[]", "", 400, "400403"},
	{"unknown user", usersPath + "/u2/token", "{}", "", 400, "400201"},
	{"deactivated user", usersPath + "/gone/token", "{}", "", 400, "400300"},
	{"wrong token", sendbirdPath, "{}", "Api-Token: other", 400, "400401"},
	{"slash in the user", usersPath + "/a/b/token", "{}", "", 400, "400304"},

	{"new user", usersPath, newUser(strings.Repeat("ü", 80)), "", 200, `"is_active":true`},
	{"same user again", usersPath, newUser("gone"), "", 400, "400202"},
	{"user too long", usersPath, newUser(strings.Repeat("ü", 81)), "", 400, "400305"},
	{"no picture", usersPath, `{"user_id":"u2","nickname":""}`, "", 400, "400105"},
	{"numeric user", usersPath, `{"user_id":7,"nickname":"","profile_url":""}`, "", 400, "400100"},
}

const config, expiry = `"chatkit_configuration":`, `"expires_after":{`

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

func newUser(id string) string {
	return fmt.Sprintf(`{"user_id":%q,"nickname":"","profile_url":""}`, id)
}

// Each simulator accepts and refuses what the real service does, in its words.
func TestRequests(t *testing.T) {
	for i, cases := range [][]requestCase{backendCases, openAICases, sendbirdCases} {
		k := kinds[i]
		s, c := k.run(t, testKey), newClient(t)
		for _, tc := range cases {
			t.Run(k.name+"/"+tc.name, func(t *testing.T) {
				s.Clear()
				got := do(c, newRequest(t, s.URL()+tc.path, tc.body, tc.header))
				if got.status != tc.status {
					t.Fatalf("got %d %s (%v), want %d", got.status, got.body, got.err, tc.status)
				}
				for part := range strings.FieldsSeq(tc.want) {
					if !strings.Contains(got.body, part) {
						t.Errorf("got %s, want %s in it", got.body, part)
					}
				}
				if tc.status != 200 {
					wantProblem(t, k, got)
					if len(s.Issued()) != 0 {
						t.Error("a secret was issued")
					}
				} else if path := s.Requests()[0].Escaped; path != strings.SplitN(tc.path, "?", 2)[0] {
					t.Errorf("recorded %s", path)
				}
			})
		}
	}
}

// Only POST is allowed. Without a key of its own a server takes any, and the
// backend wants none.
func TestMethodsAndKeys(t *testing.T) {
	for _, tc := range []struct {
		k              kind
		method, header string
		status         int
	}{
		{backend, "GET", "", 405}, {stream, "GET", "", 405}, {openAI, "GET", "", 405}, {sendbird, "GET", "", 405},
		{backend, "POST", "Authorization", 200},
		{openAI, "POST", "Authorization: Bearer other", 200}, {openAI, "POST", "Authorization", 401},
		{sendbird, "POST", "Api-Token: other", 200}, {sendbird, "POST", "Api-Token", 400},
	} {
		s := tc.k.run(t, "")
		r := newRequest(t, s.URL()+tc.k.path, tc.k.body, tc.header)
		r.Method = tc.method
		got := do(newClient(t), r)
		if got.status != tc.status || (got.header.Get("Allow") == "POST") != (tc.status == 405) || (s.Calls() == 0) != (tc.status == 405) {
			t.Errorf("%s %s, %q: got %d %v, calls %d, want %d", tc.method, tc.k.name, tc.header, got.status, got.header, s.Calls(), tc.status)
		}
	}
}
