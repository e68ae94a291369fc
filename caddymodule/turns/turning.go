package turns

import (
	"errors"
	"io"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// turning is a call on its way to a turn.
type turning struct {
	*Call

	policy *Policy
	visit  *outage.Visit // where there are stand-ins
	trace  *tracing.Turn
}

// do returns what the client reads: of a new turn, or of one that runs.
func (t *turning) do(r *http.Request, asked *chatkit.Request, body []byte, whole bool) (*Answer, error) {
	t.trace = tracing.NewTurn(r.Context(), string(asked.Type))
	req := &turn.Request{
		Asker: t.Asker, Options: t.policy.options, Thread: asked.Thread,
		Ask: t.ask, Settled: t.Delivery.Close, Left: t.Left,
		Observer: &observer{t.policy, t.Scope, t.Asker.Caller, t.RequestID, t.trace},
	}
	if c, ok := connOf(r.Context()); ok {
		req.Arrived = c.arrived
	}
	if whole && !t.Drill {
		req.Key = req.KeyOf(append([]byte(r.URL.RawQuery+"\x00"), body...))
	}
	c, err := t.policy.common.Do(r.Context(), req)
	if c != nil && c.Attached() {
		if began, ok := c.Observer().(*observer); ok {
			began.trace.Attached(r.Context())
		}
	}
	switch {
	case err == nil:
		return respond(c, r)
	case r.Context().Err() != nil: // of a client that is still there, its body was given up
		return nil, &EventError{farewell(relay.ErrStalled).Frame(), relay.ErrStalled}
	}
	event := chatkit.ErrorEvent{Code: chatkit.StreamError, AllowRetry: true}
	if refused, ok := errors.AsType[*turn.Refused](err); ok {
		event = refused.Event
		telemetry.TurnRefused(refused.Limit)
	}
	return nil, &EventError{event.Frame(), err}
}

// respond returns the answer that a client of a turn reads.
func respond(c *turn.Client, r *http.Request) (*Answer, error) {
	answer := c.Answer()
	if answer == nil {
		defer c.Close()
		event, _ := io.ReadAll(c) // it is there
		_, err := c.Ended()
		return nil, &EventError{event, err}
	}
	if from, ok := answer.Value.(*outage.Answered); ok {
		return &Answer{Response: response(r, "text/event-stream", c), StandIns: from, Client: c}, nil //nolint:bodyclose // reverse_proxy does
	}
	given, ok := answer.Value.(*relay.Response)
	if !ok {
		_ = c.Close()
		return nil, errors.New("the answer is not a backend's")
	}
	if c.Passes() {
		given.Body = c
		return &Answer{Response: given.Response, Backend: given, Client: c}, nil
	}
	resp := *given.Response // many may read it
	resp.Header, resp.Trailer, resp.Body, resp.ContentLength = given.Header.Clone(), nil, c, -1
	resp.Header.Del("Content-Length")
	resp.Header.Del("Trailer")
	return &Answer{Response: &resp, Backend: given, Client: c}, nil
}
