package sandbox_test

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// A session of OpenAI has all fields of the published schema: as requested, else
// the defaults. Its secret contains its end.
func TestOpenAISession(t *testing.T) {
	const given = `"workflow":{"id":"wf_1","version":"2","state_variables":{"plan":"pro","n":1.50},"tracing":{"enabled":false}},
		"rate_limits":{"max_requests_per_1_minute":7},
		"chatkit_configuration":{"automatic_thread_titling":{"enabled":false},"file_upload":{"enabled":true,"max_file_size":5,"max_files":3},
		"history":{"enabled":false,"recent_threads":4}}}`
	const defaults = `{"object":"chatkit.session","status":"%s","user":"u1","max_requests_per_1_minute":10,
		"rate_limits":{"max_requests_per_1_minute":10},
		"workflow":{"id":"wf_1","version":null,"state_variables":null,"tracing":{"enabled":true}},
		"chatkit_configuration":{"automatic_thread_titling":{"enabled":true},"file_upload":{"enabled":false,"max_file_size":512,"max_files":10},
		"history":{"enabled":true,"recent_threads":null}}}`
	s := openAI.run(t, testKey)
	for _, tc := range []struct {
		body  string
		fault sandbox.Fault
		in    time.Duration
		want  string
	}{
		{openAIBody, sandbox.LongSecret, openAI.lifetime, fmt.Sprintf(defaults, "active")},
		{openAIBody, sandbox.Expired, -time.Hour, fmt.Sprintf(defaults, "expired")},
		{
			`{"user":"u<1>",` + expiry + `"anchor":"created_at","seconds":60},` + given, sandbox.None, time.Minute,
			`{"object":"chatkit.session","status":"active","user":"u<1>","max_requests_per_1_minute":7,` + given,
		},
	} {
		set(t, s, tc.fault)
		o := do(newClient(t), newRequest(t, s.URL()+openAIPath, tc.body)).object(t)
		wantEnd(t, o["expires_at"], tc.in)
		tail := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"expires_at": %s}`, o["expires_at"]))
		for name, form := range map[string]string{"id": `^cksess_[0-9a-f]{48}$`, "client_secret": `^ek_[0-9a-f]+_00` + regexp.QuoteMeta(tail) + `$`} {
			if got := text(o[name]); !regexp.MustCompile(form).MatchString(got) {
				t.Errorf("%s: %s %.100q, want %s", tc.fault, name, got, form)
			}
			delete(o, name)
		}
		delete(o, "expires_at")
		if want := (seen{body: tc.want}).object(t); !reflect.DeepEqual(o, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", tc.fault, o, want)
		}
	}
}

func TestOpenAICancel(t *testing.T) {
	s, c := openAI.run(t, testKey), newClient(t)
	want := openAI.ask(t, c, s).object(t)
	want["status"] = "cancelled"
	s.Clear()
	for range 2 { // cancelling twice is harmless
		got := do(c, newRequest(t, s.URL()+openAIPath+"/"+text(want["id"])+"/cancel", ""))
		if o := got.object(t); got.status != 200 || !reflect.DeepEqual(o, want) {
			t.Errorf("got %d %v, want %v", got.status, o, want)
		}
	}
	if s.Calls() != 2 || len(s.Issued()) != 0 {
		t.Errorf("calls %d, issued %v", s.Calls(), s.Issued())
	}
}

// Sendbird creates a user, remembers it beyond Clear, and issues a token that
// ends when asked to.
func TestSendbirdToken(t *testing.T) {
	s, c := sendbird.run(t, testKey), newClient(t)
	if got := do(c, newRequest(t, s.URL()+usersPath, newUser("new"))); got.status != 200 || got.object(t)["user_id"] != "new" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	s.Clear()
	end := time.Now().Add(5 * time.Minute).UnixMilli()
	o := do(c, newRequest(t, s.URL()+usersPath+"/new/token", fmt.Sprintf(`{"expires_at":%d}`, end))).object(t)
	if text(o["expires_at"]) != fmt.Sprint(end) || strings.Count(text(o["token"]), ".") != 2 || len(o) != 2 {
		t.Errorf("got %v, want the end %d", o, end)
	}
}

// The key and each session may open a stream. It repeats a message, but not all
// of a long one.
func TestStream(t *testing.T) {
	s, c := stream.run(t, testKey), newClient(t)
	session := text(backend.ask(t, c, s).object(t)["session_id"])
	long := `{"message":"` + strings.Repeat("é", 1000) + `"}`
	for _, tc := range []struct{ bearer, body, word string }{
		{testKey, streamBody, "“hällo”. "},
		{session, long, "“" + strings.Repeat("é", 100) + "…”. "},
	} {
		got := do(c, newRequest(t, s.URL()+streamPath, tc.body, "Authorization: Bearer "+tc.bearer))
		wantReply(t, stream, got)
		if event := `data: {"type":"delta","delta":"` + tc.word + `"}` + "\n\n"; !strings.Contains(got.body, event) {
			t.Errorf("no %s in %s", event, got.body)
		}
	}
	if s.Calls() != 3 {
		t.Errorf("calls %d, want a session and two streams", s.Calls())
	}
}

// wantReply checks for a whole stream.
func wantReply(t *testing.T, _ kind, got seen) {
	t.Helper()
	if got.status != 200 || got.header.Get("Content-Type") != "text/event-stream" || !got.chunked || got.bodyErr != nil ||
		!strings.HasPrefix(got.body, `data: {"type":"delta","delta":"You "}`+"\n\n") ||
		!strings.HasSuffix(got.body, `data: {"type":"done"}`+"\n\n") {
		t.Errorf("got %d %v %s (%v, %v)", got.status, got.header, got.body, got.err, got.bodyErr)
	}
}
