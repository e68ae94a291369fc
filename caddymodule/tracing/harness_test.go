package tracing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// exported are the spans that Caddy's own tracing handler has exported.
var exported atomic.Pointer[tracetest.InMemoryExporter]

func TestMain(m *testing.M) {
	autoexport.RegisterSpanExporter("memory", func(context.Context) (sdktrace.SpanExporter, error) {
		e := tracetest.NewInMemoryExporter()
		exported.Store(e)
		return e, nil
	})
	_ = os.Setenv("OTEL_TRACES_EXPORTER", "memory")
	_ = os.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	os.Exit(m.Run())
}

// traced starts a site whose chatkit block stands behind Caddy's tracing.
func traced(t *testing.T, block string) *testsite.Site {
	t.Helper()
	s := testsite.NewUnloaded(t)
	load(s, block)
	return s
}

func load(s *testsite.Site, block string) {
	s.T.Helper()
	const handler = "\t\tchatkit {"
	s.LoadText(strings.Replace(s.Caddyfile(block), handler, "\t\ttracing\n"+handler, 1))
}

// spans waits until there are n spans and returns them by name; those of one name are
// in order of their ends.
func spans(t *testing.T, n int) map[string][]tracetest.SpanStub {
	t.Helper()
	var got tracetest.SpanStubs
	for range 500 {
		if got = exported.Load().GetSpans(); len(got) >= n {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	slices.SortStableFunc(got, func(a, b tracetest.SpanStub) int { return a.EndTime.Compare(b.EndTime) })
	byName := make(map[string][]tracetest.SpanStub)
	for _, s := range got {
		byName[s.Name] = append(byName[s.Name], s)
	}
	if len(got) != n {
		t.Fatalf("got %d spans, want %d: %s", len(got), n, text(got))
	}
	return byName
}

// text is everything that spans say.
func text(spans tracetest.SpanStubs) string {
	b, err := json.Marshal(spans)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// says checks the attributes of ours, and of a status, as "key=value", in the order of
// their names.
func says(t *testing.T, what string, attrs []attribute.KeyValue, want ...string) {
	t.Helper()
	var got []string
	for _, a := range attrs {
		key := string(a.Key)
		if strings.HasPrefix(key, "chatkit.") && key != "chatkit.request_id" || key == "error.type" || key == "http.response.status_code" {
			got = append(got, fmt.Sprintf("%s=%s", strings.TrimPrefix(key, "chatkit."), a.Value.String()))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s says %q, want %q", what, got, want)
	}
}

// below checks that spans are children of another one.
func below(t *testing.T, parent tracetest.SpanStub, children ...tracetest.SpanStub) {
	t.Helper()
	for _, c := range children {
		if c.Parent.SpanID() != parent.SpanContext.SpanID() || c.SpanContext.TraceID() != parent.SpanContext.TraceID() {
			t.Errorf("%s is below %s, want %s", c.Name, c.Parent.SpanID(), parent.SpanContext.SpanID())
		}
	}
}

// traceparent is the header of a request that was sent in a span.
func traceparent(s tracetest.SpanStub) string {
	return fmt.Sprintf("00-%s-%s-01", s.SpanContext.TraceID(), s.SpanContext.SpanID())
}

// events returns the names of a span's events, each with its reason.
func events(s tracetest.SpanStub) (got []string) {
	for _, e := range s.Events {
		name := e.Name
		for _, a := range e.Attributes {
			name += " " + a.Value.String()
		}
		got = append(got, name)
	}
	return got
}
