package modelapi_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

const (
	role   = `{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`
	hello  = `{"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}`
	world  = `{"choices":[{"index":0,"delta":{"content":", wörld"}}]}`
	thinks = `{"choices":[{"index":0,"delta":{"content":null,"reasoning":"SECRET","reasoning_content":"SECRET"}}]}`
	stop   = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	usage  = `{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}`
	end0   = `[DONE]`
)

func finish(reason string) string {
	return `{"choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

func TestChat(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		want   outcome
	}{
		"a good turn":                    {events(role, hello, world, stop, usage, end0), outcome{text: "Hello, wörld"}},
		"no [DONE]":                      {events(role, hello, stop), outcome{text: "Hello"}},
		"no blank line at the end":       {"data: " + hello + "\n\ndata: " + stop, outcome{text: "Hello"}},
		"no blank behind the colon":      {"data:" + hello + "\n\ndata:" + stop + "\n\n", outcome{text: "Hello"}},
		"data on two lines":              {"data: {\"choices\":[{\"delta\":{\"content\":\ndata: \"Hello\"}}]}\n\n" + events(stop), outcome{text: "Hello"}},
		"finish_reason with a text":      {events(`{"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}`), outcome{text: "Hello"}},
		"reasoning is not shown":         {events(thinks, hello, thinks, stop), outcome{text: "Hello"}},
		"a refusal is an answer":         {events(`{"choices":[{"delta":{"refusal":"No."}}]}`, stop), outcome{text: "No."}},
		"a list of parts":                {events(`{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"text":"SECRET"}]},{"type":"text","text":"Hello"}]}}]}`, stop), outcome{text: "Hello"}},
		"another choice":                 {events(hello, `{"choices":[{"index":1,"delta":{"content":"Other"}}]}`, stop), outcome{text: "Hello"}},
		"words of its own for the end":   {events(hello, finish("eos")), outcome{text: "Hello"}},
		"text behind the end":            {events(hello, stop, world), outcome{text: "Hello"}},
		"an error behind the end":        {events(hello, stop, `{"error":"SECRET"}`), outcome{text: "Hello"}},
		"nonsense behind the end":        {events(hello, stop, `{`), outcome{text: "Hello"}},
		"cut by the limit":               {events(hello, finish("length"), usage, end0), outcome{text: "Hello", cut: standin.MaxTokens}},
		"cut by the filter":              {events(hello, finish("content_filter")), outcome{text: "Hello", cut: standin.ContentFilter}},
		"ends without finish_reason":     {events(role, hello), outcome{text: "Hello", reason: session.Reset}},
		"[DONE] without finish_reason":   {events(role, hello, end0), outcome{text: "Hello", reason: session.Reset}},
		"an empty finish_reason":         {events(hello, finish("")), outcome{text: "Hello", reason: session.Reset}},
		"an error, then [DONE]":          {events(hello, `{"error":{"message":"SECRET","type":"server_error","code":null}}`, end0), outcome{text: "Hello", reason: session.Status5xx}},
		"an error at the beginning":      {events(`{"error":{"message":"SECRET","code":"rate_limit_exceeded"}}`), outcome{reason: session.Status429}},
		"an error with a number":         {events(`{"error":{"message":"SECRET","code":503}}`), outcome{reason: session.Status5xx}},
		"an error with a number of ours": {events(`{"error":{"message":"SECRET","code":401}}`), outcome{reason: session.Misconfigured}},
		"an error nobody knows":          {events(`{"error":{"message":"SECRET","code":"SECRET"}}`), outcome{reason: session.InvalidResponse}},
		"an error that is a text":        {events(hello, `{"error":"SECRET"}`), outcome{text: "Hello", reason: session.InvalidResponse}},
		"a flat error":                   {events(`{"object":"error","message":"SECRET","type":"BadRequestError","code":400}`), outcome{reason: session.Rejected}},
		"the credit is used up":          {events(`{"error":{"code":"insufficient_quota"}}`), outcome{reason: session.Misconfigured}},
		"the conversation is too long":   {events(`{"error":{"code":"context_length_exceeded"}}`), outcome{reason: session.Rejected}},
		"the engine aborts":              {events(hello, finish("abort")), outcome{text: "Hello", reason: session.InvalidResponse}},
		"a tool that nobody gave":        {events(finish("tool_calls")), outcome{reason: session.InvalidResponse}},
		"malformed":                      {events(hello, `{"choices":[{SECRET`), outcome{text: "Hello", reason: session.InvalidResponse}},
		"another shape":                  {events(`{"choices":"SECRET"}`), outcome{reason: session.InvalidResponse}},
		"a number":                       {events(`7`), outcome{reason: session.InvalidResponse}},
		"nothing":                        {"", outcome{reason: session.InvalidResponse}},
		"no events":                      {"<html>SECRET</html>\n\n", outcome{reason: session.InvalidResponse}},
		"comments only":                  {": PROCESSING\n\n: PROCESSING\n\n", outcome{reason: session.InvalidResponse}},
	} {
		t.Run(name, func(t *testing.T) { holds(t, chat, c.stream, c.want) })
	}
}

// Tokens are told once, whether they come in a chunk of their own or with each one.
func TestChatUsage(t *testing.T) {
	with := strings.Replace(stop, `}]}`, `}],"usage":{"prompt_tokens":7,"completion_tokens":2}}`, 1)
	for name, stream := range map[string]string{"last": events(hello, stop, usage, end0), "with the end": events(hello, with)} {
		p := new(page)
		if err := chat.answers(eventStream, strings.NewReader(stream), p); err != nil || p.told != 1 || p.in != 7 || p.out != 2 {
			t.Errorf("%s: told %d times %d and %d (%v)", name, p.told, p.in, p.out, err)
		}
	}
	p := new(page)
	if err := chat.answers(eventStream, strings.NewReader(events(hello, stop)), p); err != nil || p.told != 0 {
		t.Errorf("without numbers: told %d times (%v)", p.told, err)
	}
}

// A server that cannot stream answers at once, or says why it does not answer.
func TestChatWhole(t *testing.T) {
	for body, want := range map[string]outcome{
		`{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}`: {text: "Hello"},
		`{"choices":[{"message":{"content":"Hel"},"finish_reason":"length"}]}`:                              {text: "Hel", cut: standin.MaxTokens},
		`{"error":{"message":"SECRET","type":"server_error"}}`:                                              {reason: session.Status5xx},
		`SECRET`: {reason: session.InvalidResponse},
		``:       {reason: session.InvalidResponse},
	} {
		p := new(page)
		err := chat.answers("application/json", strings.NewReader(body), p)
		if got := end(t, p, err); got != want {
			t.Errorf("%s: got %+v, want %+v", body, got, want)
		}
		shows(t, err)
	}
}

// The connection is cut: before the end that is a failure, behind it nothing is.
func TestChatCut(t *testing.T) {
	for stream, want := range map[string]outcome{
		events(hello):       {text: "Hello", reason: session.Reset},
		events(hello, stop): {text: "Hello"},
	} {
		p := new(page)
		err := chat.answers(eventStream, io.MultiReader(strings.NewReader(stream), iotest.ErrReader(io.ErrUnexpectedEOF)), p)
		if got := end(t, p, err); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// An error of the writer comes back as it is, and ends the reading.
func TestChatNobodyListens(t *testing.T) {
	gone := errors.New("gone")
	p := &page{refuse: gone}
	err := chat.answers(eventStream, strings.NewReader(events(hello, world, stop)), p)
	if !errors.Is(err, gone) || len(p.parts) != 1 {
		t.Errorf("got %v after %q", err, p.parts)
	}
}

// A complete answer does not wait for a server that keeps its stream open.
func TestChatHangsBehindTheEnd(t *testing.T) {
	r, w := io.Pipe()
	go func() { _, _ = io.WriteString(w, events(hello, stop)) }()
	start, p := time.Now(), new(page)
	if err := chat.answers(eventStream, r, p); err != nil || p.text() != "Hello" || time.Since(start) > 5*time.Second {
		t.Errorf("got %q and %v after %s", p.text(), err, time.Since(start))
	}
}

// endless is a stream that repeats a text for ever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], e.text[e.at:])
		n, e.at = n+c, (e.at+c)%len(e.text)
	}
	return n, nil
}

// Nothing is read for ever, and nothing is kept that is too long.
func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"an event": "data: xxxxxxxx\n", "comments": ": xxx\n\n", "thoughts": events(thinks), "a line": "x",
	} {
		for which, read := range map[string]reader{"chat": chat, "responses": resp} {
			p := new(page)
			err := read.answers(eventStream, &endless{text: text}, p)
			if got := end(t, p, err); got != (outcome{reason: session.InvalidResponse}) || len(err.Error()) > 100 {
				t.Errorf("%s of %s: got %+v, %.100v", name, which, got, err)
			}
		}
	}
	p := new(page)
	if got := end(t, p, chat.answers("application/json", &endless{text: " "}, p)); got.reason != session.InvalidResponse {
		t.Errorf("a whole answer: got %+v", got)
	}
}
