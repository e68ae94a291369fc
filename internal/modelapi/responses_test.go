package modelapi_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

const (
	created   = `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","error":null,"incomplete_details":null}}`
	item      = `{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","content":[]}}`
	said      = `{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello"}`
	more      = `{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":", world"}`
	other     = `{"type":"response.output_text.delta","item_id":"msg_2","output_index":1,"content_index":0,"delta":"Bye"}`
	saidAll   = `{"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"Hello"}`
	reasons   = `{"type":"response.reasoning_text.delta","item_id":"rs_1","content_index":0,"delta":"SECRET"}`
	summary   = `{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","summary_index":0,"delta":"SECRET"}`
	completed = `{"type":"response.completed","response":{"status":"completed","error":null,"usage":{"input_tokens":7,"output_tokens":2}}}`
)

func incomplete(reason string) string {
	return `{"type":"response.incomplete","response":{"incomplete_details":{"reason":"` + reason + `"}}}`
}

func failed(code string) string {
	return `{"type":"response.failed","response":{"status":"failed","error":{"code":"` + code + `","message":"SECRET"}}}`
}

func TestResponses(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		want   outcome
	}{
		"a good turn":             {events(created, item, said, more, saidAll, completed), outcome{text: "Hello, world"}},
		"names of events":         {"event: response.output_text.delta\n" + events(said) + "event: response.completed\n" + events(completed), outcome{text: "Hello"}},
		"reasoning is not shown":  {events(reasons, summary, said, completed), outcome{text: "Hello"}},
		"a refusal is an answer":  {events(`{"type":"response.refusal.delta","item_id":"m","content_index":0,"delta":"No."}`, `{"type":"response.refusal.done","item_id":"m","content_index":0,"refusal":"No."}`, completed), outcome{text: "No."}},
		"two messages":            {events(said, other, completed), outcome{text: "Hello\n\nBye"}},
		"no deltas":               {events(created, saidAll, completed), outcome{text: "Hello"}},
		"unknown events":          {events(`{"type":"response.made_up","delta":7,"response":"x"}`, said, completed), outcome{text: "Hello"}},
		"text behind the end":     {events(said, completed, more), outcome{text: "Hello"}},
		"cut by the limit":        {events(said, incomplete("max_output_tokens")), outcome{text: "Hello", cut: standin.MaxTokens}},
		"cut by the filter":       {events(said, incomplete("content_filter")), outcome{text: "Hello", cut: standin.ContentFilter}},
		"cut by who knows what":   {events(said, incomplete("SECRET")), outcome{text: "Hello", reason: session.InvalidResponse}},
		"ends too early":          {events(created, said), outcome{text: "Hello", reason: session.Reset}},
		"[DONE] proves nothing":   {events(said, `[DONE]`), outcome{text: "Hello", reason: session.Reset}},
		"completed, but cut":      {events(said, `{"type":"response.completed","response":{"status":"incomplete"}}`), outcome{text: "Hello", cut: standin.MaxTokens}},
		"completed, but failed":   {events(said, `{"type":"response.completed","response":{"status":"failed"}}`), outcome{text: "Hello", reason: session.InvalidResponse}},
		"failed":                  {events(said, failed("server_error")), outcome{text: "Hello", reason: session.Status5xx}},
		"failed at the limit":     {events(failed("rate_limit_exceeded")), outcome{reason: session.Status429}},
		"failed by the prompt":    {events(failed("invalid_prompt")), outcome{reason: session.Rejected}},
		"failed by where it is":   {events(failed("data_residency_mismatch")), outcome{reason: session.Misconfigured}},
		"failed, nobody knows":    {events(failed("SECRET")), outcome{reason: session.InvalidResponse}},
		"failed without an error": {events(`{"type":"response.failed","response":{}}`), outcome{reason: session.InvalidResponse}},
		"cancelled":               {events(said, `{"type":"response.cancelled","response":{}}`), outcome{text: "Hello", reason: session.InvalidResponse}},
		"a flat error":            {events(`{"type":"error","code":"server_error","message":"SECRET","param":null,"sequence_number":1}`), outcome{reason: session.Status5xx}},
		"a flat error, no code":   {events(`{"type":"error","code":null,"message":"SECRET"}`), outcome{reason: session.InvalidResponse}},
		"a nested error": {
			events(said, `{"type":"error","error":{"type":"service_unavailable_error","code":"server_is_overloaded","message":"SECRET"}}`),
			outcome{text: "Hello", reason: session.Status5xx},
		},
		"malformed":     {events(said, `{"type":"response.comp`), outcome{text: "Hello", reason: session.InvalidResponse}},
		"another shape": {events(`{"type":"response.output_text.delta","delta":{"SECRET":1}}`), outcome{reason: session.InvalidResponse}},
		"a list":        {events(`[]`), outcome{reason: session.InvalidResponse}},
		"nothing":       {"", outcome{reason: session.InvalidResponse}},
	} {
		t.Run(name, func(t *testing.T) { holds(t, resp, c.stream, c.want) })
	}
}

func TestResponsesUsage(t *testing.T) {
	p := new(page)
	if err := resp.answers(eventStream, strings.NewReader(events(said, completed)), p); err != nil || p.told != 1 || p.in != 7 || p.out != 2 {
		t.Errorf("told %d times %d and %d (%v)", p.told, p.in, p.out, err)
	}
}

// A whole response is not what was asked for; an error is what it is.
func TestResponsesWhole(t *testing.T) {
	for body, want := range map[string]session.Reason{
		`{"object":"response","error":null,"status":"completed","output":[]}`: session.InvalidResponse,
		`{"error":{"code":"rate_limit_exceeded","message":"SECRET"}}`:         session.Status429,
	} {
		p := new(page)
		if got := end(t, p, resp.answers("application/json", strings.NewReader(body), p)); got.reason != want {
			t.Errorf("%s: got %s, want %s", body, got.reason, want)
		}
	}
}

// A model that begins text after text is stopped.
func TestResponsesParts(t *testing.T) {
	var b strings.Builder
	for i := range 1100 {
		b.WriteString(events(`{"type":"response.output_text.delta","item_id":"m` + strings.Repeat("x", i) + `","delta":"a"}`))
	}
	p := new(page)
	if got := end(t, p, resp.answers(eventStream, strings.NewReader(b.String()), p)); got.reason != session.InvalidResponse {
		t.Errorf("got %s after %d texts", got.reason, len(p.parts))
	}
}
