// Package tracing adds to the traces that Caddy's tracing handler begins: a span for
// each attempt and each turn, what became of a request on Caddy's own span, and the
// trace context on calls to providers. It is the only package that knows OpenTelemetry.
//
// Without a trace that is sampled it does nothing, and allocates nothing. Nothing that
// a client or a provider has written is put into a span, but for the id of the request.
//
// The handler, turns, registry, telemetry and upstream import it.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of the instrumentation.
const scope = "github.com/caddy-chatkit/caddy-chatkit"

// The attributes. Where the access log has a field for the same, they are named like it.
const (
	provider   = attribute.Key("chatkit.provider")
	reason     = attribute.Key("chatkit.reason")
	outcome    = attribute.Key("chatkit.outcome")
	requestID  = attribute.Key("chatkit.request_id")
	route      = attribute.Key("chatkit.route")
	isDrill    = attribute.Key("chatkit.drill")
	attached   = attribute.Key("chatkit.attached")
	try        = attribute.Key("chatkit.try")
	hedge      = attribute.Key("chatkit.hedge")
	turnType   = attribute.Key("chatkit.turn.type")
	turnEnd    = attribute.Key("chatkit.turn.end")
	turnUnread = attribute.Key("chatkit.turn.unread")
	errorType  = attribute.Key("error.type")                // of OpenTelemetry's conventions
	httpRoute  = attribute.Key("http.route")                // likewise
	urlPath    = attribute.Key("url.path")                  // likewise
	statusCode = attribute.Key("http.response.status_code") // likewise
)

// sampled returns the span of a context, if its trace is sampled. Only then is
// anything recorded.
func sampled(ctx context.Context) (trace.Span, bool) {
	span := trace.SpanFromContext(ctx)
	return span, span.SpanContext().IsSampled()
}

// start begins a span below that of a context.
func start(ctx context.Context, parent trace.Span, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	return parent.TracerProvider().Tracer(scope).Start(ctx, name, o...) //nolint:spancheck // Result and Turn.End end it
}

// Exemplar returns the ids of the trace and span that a context belongs to, nil if the
// trace is not sampled.
func Exemplar(ctx context.Context) map[string]string {
	span, ok := sampled(ctx)
	if !ok {
		return nil
	}
	c := span.SpanContext()
	return map[string]string{"trace_id": c.TraceID().String(), "span_id": c.SpanID().String()}
}
