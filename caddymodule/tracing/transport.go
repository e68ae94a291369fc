package tracing

import (
	"net/http"
	"sync"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// propagator is the one that Caddy's tracing handler uses: traceparent, unless
// OTEL_PROPAGATORS has others.
var propagator = sync.OnceValue(func() propagation.TextMapPropagator { return autoprop.NewTextMapPropagator() })

// Transport returns a transport that sends the trace context of requests along. A trace
// that is not sampled is sent, too: the provider is to know.
func Transport(rt http.RoundTripper) http.RoundTripper { return &transport{rt} }

type transport struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	span := trace.SpanFromContext(ctx)
	if !span.SpanContext().IsValid() {
		return t.next.RoundTrip(r)
	}
	traced := *r // a transport does not change the request
	traced.Header = r.Header.Clone()
	// Baggage is the client's: where it is to go with a request, it is among the headers.
	propagator().Inject(baggage.ContextWithoutBaggage(ctx), propagation.HeaderCarrier(traced.Header))
	resp, err := t.next.RoundTrip(&traced)
	if err == nil && span.IsRecording() {
		span.SetAttributes(statusCode.Int(resp.StatusCode))
	}
	return resp, err
}
