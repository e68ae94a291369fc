package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// sessionFields are the required fields of the published schema, "" for a value
// that is not an object.
var sessionFields = map[string]any{
	"id": "", "object": "", "expires_at": "", "client_secret": "", "user": "",
	"max_requests_per_1_minute": "", "status": "",
	"rate_limits": map[string]any{"max_requests_per_1_minute": ""},
	"workflow": map[string]any{
		"id": "", "version": "", "state_variables": "", "tracing": map[string]any{"enabled": ""},
	},
	"chatkit_configuration": map[string]any{
		"automatic_thread_titling": map[string]any{"enabled": ""},
		"file_upload":              map[string]any{"enabled": "", "max_file_size": "", "max_files": ""},
		"history":                  map[string]any{"enabled": "", "recent_threads": ""},
	},
}

// wantFields checks that got has exactly the fields of want.
func wantFields(t *testing.T, got, want map[string]any) {
	t.Helper()
	g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
	if !slices.Equal(g, w) {
		t.Errorf("fields %v, want %v", g, w)
	}
	for name, inner := range want {
		if inner, ok := inner.(map[string]any); ok {
			sub, _ := got[name].(map[string]any)
			wantFields(t, sub, inner)
		}
	}
}

func TestOpenAISession(t *testing.T) {
	const full = `{"user":"u<1>","workflow":{"id":"wf_1","version":"2","state_variables":{"plan":"pro","n":1.50},"tracing":{"enabled":false}},
		"rate_limits":{"max_requests_per_1_minute":7},
		"chatkit_configuration":{"automatic_thread_titling":{"enabled":false},"file_upload":{"enabled":true,"max_file_size":5,"max_files":3},"history":{"enabled":false,"recent_threads":4}}}`
	cases := []struct{ name, body, want string }{
		{"defaults", openAIBody, `{"object":"chatkit.session","status":"active","user":"u1","max_requests_per_1_minute":10,
			"rate_limits":{"max_requests_per_1_minute":10},
			"workflow":{"id":"wf_1","version":null,"state_variables":null,"tracing":{"enabled":true}},
			"chatkit_configuration":{"automatic_thread_titling":{"enabled":true},"file_upload":{"enabled":false,"max_file_size":512,"max_files":10},"history":{"enabled":true,"recent_threads":null}}}`},
		{"all asked for", full, `{"object":"chatkit.session","status":"active","user":"u<1>","max_requests_per_1_minute":7,
			"rate_limits":{"max_requests_per_1_minute":7},
			"workflow":{"id":"wf_1","version":"2","state_variables":{"plan":"pro","n":1.50},"tracing":{"enabled":false}},
			"chatkit_configuration":{"automatic_thread_titling":{"enabled":false},"file_upload":{"enabled":true,"max_file_size":5,"max_files":3},"history":{"enabled":false,"recent_threads":4}}}`},
	}
	s, c := kinds[1].run(t, sandbox.Options{}), newClient(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			o := do(c, newRequest(t.Context(), t, s.URL()+openAIPath, tc.body)).object(t)
			if id, _ := o["id"].(string); !regexp.MustCompile(`^cksess_[0-9a-f]{48}$`).MatchString(id) {
				t.Errorf("id %q", id)
			}
			for _, varies := range []string{"id", "client_secret", "expires_at"} {
				delete(o, varies)
			}
			want := seen{body: tc.want}.object(t)
			g, _ := json.Marshal(o) // both were decoded from JSON
			w, _ := json.Marshal(want)
			if string(g) != string(w) {
				t.Errorf("got  %s\nwant %s", g, w)
			}
		})
	}
}

// The secret has OpenAI's format, which contains its expiry.
func TestOpenAISecret(t *testing.T) {
	form := regexp.MustCompile(`^ek_[0-9a-f]+_00([A-Za-z0-9+/]+=*)$`)
	cases := []struct {
		name, body string
		fault      sandbox.Fault
		ends       time.Duration
		status     string
	}{
		{"default", openAIBody, sandbox.None, 4 * time.Minute, "active"},
		{"asked for", withOrder(`"expires_after":{"anchor":"created_at","seconds":60}`), sandbox.None, time.Minute, "active"},
		{"expired", openAIBody, sandbox.Expired, -time.Hour, "expired"},
		{"long", openAIBody, sandbox.LongSecret, 4 * time.Minute, "active"},
	}
	s, c := kinds[1].run(t, sandbox.Options{Lifetime: 4 * time.Minute}), newClient(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			set(t, s, tc.fault)
			o := do(c, newRequest(t.Context(), t, s.URL()+openAIPath, tc.body)).object(t)
			wantFields(t, o, sessionFields)
			at := expiry(t, o["expires_at"])
			if !near(at, time.Now().Add(tc.ends)) || o["status"] != tc.status {
				t.Errorf("%v, expires at %v", o["status"], at)
			}
			m := form.FindStringSubmatch(text(o["client_secret"]))
			if m == nil {
				t.Fatalf("secret %.100v", o["client_secret"])
			}
			tail, err := base64.StdEncoding.DecodeString(m[1])
			if want := fmt.Sprintf(`{"expires_at": %d}`, at.Unix()); err != nil || string(tail) != want {
				t.Errorf("secret says %q (%v), want %q", tail, err, want)
			}
		})
	}
}

func TestOpenAICancel(t *testing.T) {
	k := kinds[1]
	s, c := k.run(t, sandbox.Options{Key: testKey}), newClient(t)
	made := k.ask(t, c, s).object(t)
	cancel := s.URL() + openAIPath + "/" + text(made["id"]) + "/cancel"
	s.Clear()
	for range 2 { // cancelling twice is harmless
		got := do(c, newRequest(t.Context(), t, cancel, ""))
		o := got.object(t)
		wantFields(t, o, sessionFields)
		if got.status != 200 || o["status"] != "cancelled" || o["client_secret"] != made["client_secret"] {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if reqs := s.Requests(); s.Calls() != 2 || len(s.Issued()) != 0 || !strings.HasSuffix(reqs[0].Path, "/cancel") {
		t.Errorf("calls %d, issued %v", s.Calls(), s.Issued())
	}
	if got := do(c, newRequest(t.Context(), t, s.URL()+openAIPath+"/cksess_x/cancel", "")); got.status != 404 {
		t.Errorf("unknown session: %d %s", got.status, got.body)
	}
	r := newRequest(t.Context(), t, cancel, "")
	r.Header.Del("OpenAI-Beta")
	if got := do(c, r); got.status != 400 {
		t.Errorf("without beta header: %d %s", got.status, got.body)
	}
	set(t, s, sandbox.Status500)
	if got := do(c, newRequest(t.Context(), t, cancel, "")); got.status != 500 {
		t.Errorf("under a fault: %d %s", got.status, got.body)
	}
}
