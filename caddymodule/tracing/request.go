package tracing

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// routeKey is the key of the kind of route in the context of a request.
type routeKey struct{}

// Enter returns the request with the kind of route in its context, for the spans of its
// attempts. Caddy's own span gets the path as it is configured: that of a WebSocket ends
// in the secret of its session.
func Enter(r *http.Request, kind, path string) *http.Request {
	span, ok := sampled(r.Context())
	if !ok {
		return r
	}
	span.SetAttributes(httpRoute.String(path), urlPath.String(path))
	return r.WithContext(context.WithValue(r.Context(), routeKey{}, kind))
}

// withRoute adds the kind of route to attributes, where it is known.
func withRoute(ctx context.Context, attrs []attribute.KeyValue) []attribute.KeyValue {
	if kind, ok := ctx.Value(routeKey{}).(string); ok {
		attrs = append(attrs, route.String(kind))
	}
	return attrs
}

// Answered is what became of a request.
type Answered struct {
	RequestID string
	Provider  string // whose answer the client got
	Reason    string // why the first provider did not serve, "" if it did
	Outcome   string
	Drill     bool
}

// Answer notes on Caddy's own span what became of a request. Caddy marks the span as an
// error where the status is one.
func Answer(ctx context.Context, a *Answered) {
	span, ok := sampled(ctx)
	if !ok {
		return
	}
	attrs := []attribute.KeyValue{requestID.String(a.RequestID), provider.String(a.Provider), outcome.String(a.Outcome)}
	if a.Reason != "" {
		attrs = append(attrs, reason.String(a.Reason))
	}
	if a.Drill {
		attrs = append(attrs, isDrill.Bool(true))
	}
	span.SetAttributes(withRoute(ctx, attrs)...)
}

// Skip notes on the span of a request, or of a turn, that a provider was not asked.
func Skip(ctx context.Context, name, why string) {
	if span, ok := sampled(ctx); ok {
		span.AddEvent("provider skipped", trace.WithAttributes(provider.String(name), reason.String(why)))
	}
}
