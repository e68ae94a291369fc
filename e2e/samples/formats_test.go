package samples_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// typed is a value that has to be of a type of the sample.
type typed struct {
	name string
	json []byte
}

// program checks each of the values, and that the types do not take just
// anything: an expected error that is none is an error.
func program(types string, values []typed) string {
	var b strings.Builder
	b.WriteString(types)
	for _, v := range values {
		fmt.Fprintf(&b, "\n{ const value = %s; const of: %s = value; }", v.json, v.name)
	}
	b.WriteString("\n// @ts-expect-error\n{ const of: SessionResponse = { client_secret: 1 }; }")
	b.WriteString("\n// @ts-expect-error\n{ const of: SessionRequest = { model: '' }; }\nexport {};\n")
	return b.String()
}

// What the product sends to a backend and answers to a front end is of the
// documented types; a message of the chat arrives as it was sent.
func typeScriptTypes(s *samples) {
	t := s.T
	c, dead, openai := newChat(t), newDeadBackend(t), newOpenAI(t)
	c.session["model"], c.session["metadata"] = "custom-v1", map[string]any{"seats": 3, "plan": nil}
	c.session["expires_at"] = time.Now().Add(time.Hour).UnixMilli()
	to := serve(t, anonymous, asBackend(c.URL))
	fallback := create(t, serve(t, anonymous, asBackend(dead.URL()), asOpenAI(openai)))
	served(t, fallback, "openai dial")
	bodies := []string{"", `{"model":"custom-v1"}`, `{"model":"m","metadata":{"a":[1]}}`}
	values := append(make([]typed, 0, 1+2*len(bodies)), typed{"SessionResponse", []byte(fallback.Raw)})
	for _, body := range bodies {
		a := to.ask(t, http.MethodPost, "/api/custom/session", body)
		sent := c.next(t, "/api/sessions", "Bearer key-of-the-backend")
		values = append(values, typed{"SessionResponse", []byte(a.Raw)}, typed{"SessionRequest", []byte(sent)})
	}
	testtools.Output(t, program(s.code["TypeScript Types"], values), node(t), "testdata/harness/check.cjs")

	p := s.open(t, "typescript-types", to)
	p.is("same", true)
	p.end()
}

// headers are those of the sample, by its comments.
type headers struct{ Authentication, Content, Streaming, CORS map[string]string }

// With the headers for requests a session and a stream are had; the ones for
// answers stand on them, those of CORS on errors and preflights, too.
func commonHeaders(s *samples) {
	t := s.T
	c := newChat(t)
	to := serve(t, anonymous, asBackend(c.URL))
	var h headers
	p := s.open(t, "common-headers", to, "TOKEN=session-123")
	p.next("headers", &h)
	p.end()
	var request []string
	for _, of := range []map[string]string{h.Authentication, h.Content} {
		for name, value := range of {
			request = append(request, name+": "+value)
		}
	}
	const session = "/api/custom/session"
	created := to.ask(t, http.MethodPost, session, "", request...)
	served(t, created, "backend")
	c.next(t, "/api/sessions", "Bearer key-of-the-backend")

	close(c.stream) // it has no events
	streamed := to.ask(t, http.MethodPost, "/api/custom/stream", `{}`, request...)
	c.next(t, "/api/chat/stream", "Bearer session-123")
	has(t, streamed, "stream", h.Streaming)

	preflight := to.ask(t, http.MethodOptions, session, "", "Origin: https://app.example.com", "Access-Control-Request-Method: POST")
	wrong := to.ask(t, http.MethodGet, session, "", "Origin: https://app.example.com")
	for name, a := range map[string]testsite.Answer{"session": created, "stream": streamed, "preflight": preflight, "error": wrong} {
		has(t, a, name, h.CORS)
	}
}

// has checks that an answer has these headers, of which there have to be some.
func has(t *testing.T, a testsite.Answer, name string, headers map[string]string) {
	t.Helper()
	if len(headers) == 0 {
		t.Error("no headers")
	}
	for header, want := range headers {
		if got := a.Header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s: %q, want %q", name, header, got, want)
		}
	}
}

// example is an answer of the sample.
func example(t *testing.T, code, comment string) (fields map[string]any) {
	t.Helper()
	text, _ := part(code, comment)
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("%s: %v: %s", comment, err, text)
	}
	return fields
}

// The answers are the documented ones: the error is, letter by letter, and the
// success but for a time that is not over and the name of who served.
func responseFormat(s *samples) {
	t := s.T
	code := s.code["Response Format"]
	c, success := newChat(t), example(t, code, "Success")
	end := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	success["expires_at"] = end
	c.session = map[string]any{"session_id": success["client_secret"], "model": success["model"], "expires_at": end}
	got := create(t, serve(t, anonymous, asBackend(c.URL))).Body
	maps.DeleteFunc(got, func(name string, _ any) bool { return name == "provider" })
	if !reflect.DeepEqual(got, success) {
		t.Errorf("got %v, want %v", got, success)
	}

	dead := create(t, serve(t, anonymous, asBackend(newDeadBackend(t).URL())))
	if want := example(t, code, "Error"); dead.Status != http.StatusBadGateway || !reflect.DeepEqual(dead.Body, want) {
		t.Errorf("got %d %s, want %v", dead.Status, dead.Raw, want)
	}
}
