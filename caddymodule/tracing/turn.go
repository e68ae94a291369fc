package tracing

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Turn is the span of a turn, a child of Caddy's span of the request that begins it. It
// may end later: a turn outlives its clients. A nil Turn is not traced.
type Turn struct {
	ctx  context.Context //nolint:containedctx // of the request, until the turn begins
	kind string
	span trace.Span
}

// NewTurn returns the span of a turn that the request of a context may begin, and that
// is of a type of the protocol. It is nil where the trace is not sampled.
func NewTurn(ctx context.Context, kind string) *Turn {
	if _, ok := sampled(ctx); !ok {
		return nil
	}
	return &Turn{ctx: ctx, kind: kind}
}

// Begin says that the turn has begun.
func (t *Turn) Begin() {
	if t == nil {
		return
	}
	attrs := withRoute(t.ctx, nil)
	_, t.span = start(t.ctx, trace.SpanFromContext(t.ctx), "turn", trace.WithAttributes(append(attrs, turnType.String(t.kind))...))
	t.ctx = nil
}

// Context returns a context for the attempts of the turn.
func (t *Turn) Context(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, t.span)
}

// FirstToken says that the turn showed content.
func (t *Turn) FirstToken() {
	if t != nil {
		t.span.AddEvent("first token")
	}
}

// Attached links the request of a context, which has attached to the turn, to it.
func (t *Turn) Attached(ctx context.Context) {
	if t == nil {
		return
	}
	t.span.AddEvent("client attached")
	if span, ok := sampled(ctx); ok {
		span.AddLink(trace.Link{SpanContext: t.span.SpanContext()})
		span.SetAttributes(attached.Bool(true))
	}
}

// End says how the turn has ended, whether that is well, and whether it did so while
// nobody read it.
func (t *Turn) End(how string, well, unread bool) {
	if t == nil {
		return
	}
	t.span.SetAttributes(turnEnd.String(how), turnUnread.Bool(unread))
	if !well {
		t.span.SetAttributes(errorType.String(how))
		t.span.SetStatus(codes.Error, how)
	}
	t.span.End()
}
