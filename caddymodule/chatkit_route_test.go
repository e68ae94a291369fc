package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const chatkitFailed = `streams_total{kind="chatkit",outcome="failed"}`

// The path is claimed only where it is named, and then for POST and preflights
// only: the app may have a page there.
func TestChatKitRouteIsClaimedByName(t *testing.T) {
	for _, tt := range []struct {
		options, method string
		status          int
	}{
		{"", "POST", 418}, {"", "OPTIONS", 418}, {"", "GET", 418},
		{"chatkit off", "POST", 418},
		{"chatkit /other", "POST", 418},
		{"chatkit /chatkit", "POST", 200}, {"chatkit /chatkit", "OPTIONS", 204},
		{"chatkit /chatkit", "GET", 418}, {"chatkit /chatkit", "HEAD", 418}, {"chatkit /chatkit", "PUT", 418}, {"chatkit /chatkit", "DELETE", 418},
	} {
		t.Run(tt.options+", "+tt.method, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, nil)
			s.Load(testsite.Backends(tt.options, b.URL))
			got := s.Do(tt.method, "/chatkit", `{"type":"threads.list"}`)
			if got.Status != tt.status || (len(b.Received()) == 1) != (tt.status == 200) {
				t.Errorf("got %d, want %d, and the backend was asked %d times", got.Status, tt.status, len(b.Received()))
			}
		})
	}
}

// The preflight of the widget, with the headers it adds of its own.
func TestChatKitPreflight(t *testing.T) {
	const origin, headers = "https://app.example.com", "chatkit-device-id,chatkit-frame-instance-id,content-type"
	for options, want := range map[string]string{"": "*", "cors {\n origins " + origin + "\n }": origin} {
		s := newSite(t, testsite.Backends("chatkit /chatkit\n "+options, "http://"+testsite.FreeAddr(t)))
		a := s.Do(http.MethodOptions, "/chatkit", "", "Origin: "+origin,
			"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: "+headers)
		once(t, a, "Access-Control-Allow-Origin", want)
		once(t, a, "Access-Control-Allow-Credentials", "true")
		once(t, a, "Access-Control-Allow-Headers", headers)
		once(t, a, "Access-Control-Allow-Methods", "POST")
		if a.Status != http.StatusNoContent {
			t.Errorf("got %d", a.Status)
		}
	}
}

const errorEvent = `data: {"type":"error","code":"custom","message":"The chat is unavailable for the moment","allow_retry":true}` + "\n\n"

// chatkitTypes are bodies of requests, and whether they are answered by a stream.
var chatkitTypes = []struct {
	body    string
	streams bool
}{
	{`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[]}},"metadata":{}}`, true},
	{`{"type":"threads.add_user_message"}`, true},
	{`{"type":"threads.add_client_tool_output"}`, true},
	{`{"type":"threads.add_structured_input"}`, true},
	{`{"type":"threads.retry_after_item"}`, true},
	{`{"type":"threads.custom_action"}`, true},
	{` {"params":{"type":"threads.list"},` + "\n" + `"type":"threads.create"}`, true},
	{`{"type":"threads.get_by_id"}`, false},
	{`{"type":"threads.list"}`, false},
	{`{"type":"items.list"}`, false},
	{`{"type":"items.feedback"}`, false},
	{`{"type":"attachments.create"}`, false},
	{`{"type":"attachments.delete"}`, false},
	{`{"type":"threads.update"}`, false},
	{`{"type":"threads.delete"}`, false},
	{`{"type":"input.transcribe"}`, false},
	{`{"type":"threads.sync_custom_action"}`, false},
	{`{"type":"threads.invented"}`, false},
	{`{"params":{"type":"threads.create"}}`, false},
	{`{"type":["threads.create"]}`, false},
	{`["threads.create"]`, false},
	{`{"type":"threads.create"`, true},
	{"", false}, {"null", false}, {"garbage", false}, {"\xff\xfe", false},
}

// Where no backend can be reached, a request that is answered by a stream gets
// an event the widget understands, any other our own error.
func TestChatKitWithoutABackend(t *testing.T) {
	s := newSite(t, testsite.Backends("chatkit /chatkit", "http://"+testsite.FreeAddr(t)+neverOpen, "http://"+testsite.FreeAddr(t)+neverOpen))
	failed := s.Metric(chatkitFailed)
	for i, tt := range chatkitTypes {
		a := s.Post("/chatkit", tt.body, "Origin: https://app.example.com", "X-Request-Id: mine")
		want := map[string][]string{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"},
			"Access-Control-Expose-Headers": {"Retry-After, X-Request-Id, X-Chatkit-Provider, X-Chatkit-Fallback-Reason"},
			"Vary":                          {"Origin"}, "X-Request-Id": {"mine"}, "Server": {"Caddy"}, "Content-Length": {fmt.Sprint(len(a.Raw))},
		}
		if !tt.streams {
			want["Content-Type"], want["Cache-Control"] = []string{"application/json"}, []string{"no-store"}
			checkHeaders(t, a.Header, want)
			checkError(t, a, "SESSION_ERROR")
			if a.Status != http.StatusBadGateway || a.Body["error"] != "Chat is unavailable" {
				t.Errorf("%s: got %d %s", tt.body, a.Status, a.Raw)
			}
		} else {
			want["Content-Type"], want["Cache-Control"] = []string{"text/event-stream"}, []string{"no-cache"}
			want["X-Accel-Buffering"], want["Connection"] = []string{"no"}, []string{"keep-alive"}
			checkHeaders(t, a.Header, want)
			if a.Status != http.StatusOK || a.Raw != errorEvent {
				t.Errorf("%s: got %d %q", tt.body, a.Status, a.Raw)
			}
		}
		s.Await(chatkitFailed, failed+float64(i)+1)
	}
}

// It is the same for every way in which backends fail.
func TestChatKitErrorEventForEveryFailure(t *testing.T) {
	for _, tt := range beforeFirstByte {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			options := "chatkit /chatkit"
			if tt.reason == "timeout" {
				options += "\n first_byte 250ms"
			}
			s.Load(testsite.Backends(options, tt.url(t)))
			if a := s.Post("/chatkit", chatkitTypes[0].body); a.Status != http.StatusOK || a.Raw != errorEvent {
				t.Errorf("got %d %q", a.Status, a.Raw)
			}
			a := s.Post("/chatkit", `{"type":"items.list"}`)
			once(t, a, "Content-Type", "application/json")
			if a.Status < 429 || a.Body["error"] == "" || a.Provider() != "" { // it may be left alone by now
				t.Errorf("got %d %q", a.Status, a.Raw)
			}
		})
	}
}

// While a backend answers, it is its answer that counts; but for a request that is
// answered by a stream, any other type and a 5xx become the event.
func TestChatKitAnswers(t *testing.T) {
	tests := map[string]struct {
		status      int
		contentType string
		body        string
	}{
		"stream":      {200, "text/event-stream", errorEvent + "data: {\"type\":\"thread.created\"}\n\n"},
		"JSON":        {200, "application/json", `{"data":[],"has_more":false}`},
		"not found":   {404, "application/json", `{"detail":"no thread"}`},
		"bad request": {422, "application/json", `{"detail":[]}`},
		"too many":    {429, "application/json", `{"detail":"slow down"}`},
		"failure":     {500, "text/plain", "Internal Server Error"},
		"unavailable": {503, "text/event-stream", "data: {}\n\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(tt.status)
				_, _ = fmt.Fprint(w, tt.body)
			})
			s.Load(testsite.Backends("chatkit /chatkit", b.URL+neverOpen))
			for i, request := range chatkitTypes {
				a := s.Post("/chatkit", request.body)
				status, contentType, body := tt.status, tt.contentType, tt.body
				if request.streams && (status >= 500 || status == 200 && contentType != "text/event-stream") {
					status, contentType, body = 200, "text/event-stream", errorEvent
				}
				once(t, a, "Content-Type", contentType)
				if got := b.Received()[i]; a.Status != status || a.Raw != body || got.Text != request.body || !strings.HasSuffix(got.URL.Path, "/chatkit") {
					t.Errorf("%s: got %d %q", request.body, a.Status, a.Raw)
				}
			}
		})
	}
}
