package tracing_test

import (
	"context"
	"net/http"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
)

// all does everything that a request with an attempt and a turn does.
func all(ctx context.Context, rt http.RoundTripper, r *http.Request) {
	ctx = tracing.Enter(r.WithContext(ctx), "session", "/s").Context()
	tracing.Skip(ctx, "a", "open")
	call := tracing.Attempt(ctx, "b", 1, false)
	_, _ = rt.RoundTrip(r.WithContext(call)) //nolint:bodyclose // there is none
	tracing.Result(call, "status_5xx", 500, true)
	turn := tracing.NewTurn(ctx, "threads.create")
	turn.Begin()
	turn.Context(ctx)
	turn.FirstToken()
	turn.Attached(ctx)
	turn.End("cut", false, true)
	tracing.Answer(ctx, &tracing.Answered{RequestID: "r1", Provider: "b", Reason: "open", Outcome: "fallback", Drill: true})
	tracing.Exemplar(ctx)
}

// keeps is a transport that keeps the headers of the last request.
type keeps struct{ http.Header }

func (k *keeps) RoundTrip(r *http.Request) (*http.Response, error) {
	k.Header = r.Header
	return nil, http.ErrNotSupported
}

// Whoever is sampled is recorded, and nobody else.
func TestSampling(t *testing.T) {
	for name, c := range map[string]struct {
		sampler sdktrace.Sampler
		spans   int
		ids     bool
	}{
		"sampled":        {sdktrace.AlwaysSample(), 3, true},
		"not sampled":    {sdktrace.NeverSample(), 0, false},
		"only recording": {recording{}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := tracetest.NewInMemoryExporter()
			p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(e), sdktrace.WithSampler(c.sampler))
			ctx, caddys := p.Tracer("").Start(t.Context(), "caddy")
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://a.invalid/", nil)
			if err != nil {
				t.Fatal(err)
			}
			k := new(keeps)
			all(ctx, tracing.Transport(k), r)
			if c.spans == 0 && !caddys.IsRecording() && name == "only recording" {
				t.Error("somebody has ended Caddy's span")
			}
			caddys.End()
			if got := e.GetSpans(); len(got) != c.spans {
				t.Errorf("got %d spans: %s", len(got), text(got))
			}
			if k.Get("Traceparent") == "" || r.Header.Get("Traceparent") != "" {
				t.Errorf("the request was sent with %v, and is left with %v", k.Header, r.Header)
			}
			if ids := tracing.Exemplar(ctx); (ids != nil) != c.ids || c.ids && ids["trace_id"] != caddys.SpanContext().TraceID().String() {
				t.Errorf("the exemplar is %v", ids)
			}
		})
	}
}

// recording samples nothing, but has it recorded.
type recording struct{}

func (recording) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return sdktrace.SamplingResult{Decision: sdktrace.RecordOnly}
}

func (recording) Description() string { return "recording" }

// Where nothing is traced nothing is allocated.
func TestAllocations(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.invalid/", nil)
	if err != nil {
		t.Fatal(err)
	}
	rt, answered := tracing.Transport(new(keeps)), &tracing.Answered{RequestID: "r1"}
	unsampled := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
	for name, ctx := range map[string]context.Context{"untraced": t.Context(), "not sampled": unsampled} {
		if n := testing.AllocsPerRun(100, func() {
			ctx := tracing.Attempt(ctx, "b", 1, false)
			tracing.Result(ctx, "status_5xx", 500, true)
			tracing.Skip(ctx, "a", "open")
			tracing.NewTurn(ctx, "threads.create").Begin()
			tracing.Answer(ctx, answered)
			tracing.Exemplar(ctx)
			if tracing.Enter(r, "session", "/s") != r {
				t.Error("another request")
			}
			_, _ = rt.RoundTrip(r) //nolint:bodyclose // there is none
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
