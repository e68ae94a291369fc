package traces_test

import (
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// load loads a site with tracing, as the documentation has it.
func load(s *testsite.Site, block string) {
	s.T.Helper()
	const handler = "\t\tchatkit {"
	s.LoadText(strings.Replace(s.Caddyfile(block), handler, "\t\ttracing {\n\t\t\tspan chat\n\t\t}\n"+handler, 1))
}

// attribute returns an attribute of a span, as text.
func attribute(s ptrace.Span, key string) string {
	v, ok := s.Attributes().Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// The trace of a fallback, as a collector gets it: below the client's span Caddy's,
// below that one for each attempt, and what the providers do goes on below those.
func TestFallback(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			c := newCollector(t, protocol)
			s := testsite.NewUnloaded(t)
			load(s, testsite.TwoProviders)
			testsite.Set(t, s.Backend, sandbox.Status503)
			s.Session("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").Is(t, "200 openai status_5xx")
			c.await("chat", "attempt backend", "attempt openai")
			t.Logf("the trace:\n%s", c.json())
			root := c.span("chat")
			if root.ParentSpanID().String() != "b7ad6b7169203331" || attribute(root, "chatkit.provider") != "openai" ||
				attribute(root, "chatkit.reason") != "status_5xx" || attribute(root, "chatkit.outcome") != "fallback" {
				t.Errorf("Caddy's span: %v below %s", root.Attributes().AsRaw(), root.ParentSpanID())
			}
			for _, want := range []struct {
				name, reason, status string
				code                 ptrace.StatusCode
				got                  http.Header
			}{
				{"attempt backend", "status_5xx", "503", ptrace.StatusCodeError, s.Backend.Requests()[0].Header},
				{"attempt openai", "", "200", ptrace.StatusCodeUnset, s.OpenAI.Requests()[0].Header},
			} {
				span := c.span(want.name)
				if span.ParentSpanID() != root.SpanID() || span.TraceID() != root.TraceID() || span.Kind() != ptrace.SpanKindClient {
					t.Errorf("%s is a %s below %s", want.name, span.Kind(), span.ParentSpanID())
				}
				if attribute(span, "chatkit.reason") != want.reason || attribute(span, "http.response.status_code") != want.status ||
					attribute(span, "chatkit.try") != "1" || attribute(span, "chatkit.hedge") != "false" || span.Status().Code() != want.code {
					t.Errorf("%s: %v, %s", want.name, span.Attributes().AsRaw(), span.Status().Code())
				}
				if parent := want.got.Get("Traceparent"); parent != "00-"+span.TraceID().String()+"-"+span.SpanID().String()+"-01" {
					t.Errorf("the provider of %s goes on below %q", want.name, parent)
				}
			}
		})
	}
}

// A turn of the chatkit route: its span stands between Caddy's and the attempt's.
func TestTurn(t *testing.T) {
	c := newCollector(t, "http/protobuf")
	s := testsite.NewUnloaded(t)
	load(s, testsite.Backends("chatkit /chatkit", s.Backend.URL()+"\n key "+testsite.BackendKey))
	s.Post("/chatkit", `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}}`)
	c.await("chat", "turn", "attempt a")
	root, turn, attempt := c.span("chat"), c.span("turn"), c.span("attempt a")
	if turn.ParentSpanID() != root.SpanID() || attempt.ParentSpanID() != turn.SpanID() || attribute(turn, "chatkit.turn.end") != "ok" {
		t.Errorf("got %s", c.json())
	}
	if turn.Events().Len() != 1 || turn.Events().At(0).Name() != "first token" {
		t.Errorf("the turn has %d events", turn.Events().Len())
	}
}
