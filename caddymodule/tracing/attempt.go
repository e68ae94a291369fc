package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Attempt begins the span of a call to a provider, the n-th of its request. The
// context that it returns is for the call, and for [Result].
func Attempt(ctx context.Context, name string, n int, hedged bool) context.Context {
	parent, ok := sampled(ctx)
	if !ok {
		return ctx
	}
	attrs := withRoute(ctx, []attribute.KeyValue{provider.String(name), try.Int(n), hedge.Bool(hedged)})
	ctx, _ = start(ctx, parent, "attempt "+name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	return ctx
}

// Result ends the span of the call that a context is for. why is the reason why it gave
// nothing, "" if it did, and failed says that the breaker counts it. The text of an
// error stays in the logs: it may tell of addresses.
func Result(ctx context.Context, why string, status int, failed bool) {
	span, ok := sampled(ctx)
	if !ok {
		return
	}
	defer span.End()
	if status > 0 {
		span.SetAttributes(statusCode.Int(status))
	}
	if why != "" {
		span.SetAttributes(reason.String(why))
	}
	if failed {
		span.SetAttributes(errorType.String(why))
		span.SetStatus(codes.Error, why)
	}
}
