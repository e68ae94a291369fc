package turns

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// unavailable ends a turn that nobody answers. On a 5xx, or another content type, the
// widget silently retries five times.
var unavailable = chatkit.ErrorEvent{Message: "The chat is unavailable for the moment", AllowRetry: true}

// errNoContent is the error of an answer that ended before it showed content.
var errNoContent = errors.New("the turn ended without content")

// ask asks the next one who may answer the turn: a backend, or the stand-ins where no
// backend does. Here it is decided that nobody does.
func (t *turning) ask(ctx context.Context, last turn.End) (*turn.Answer, error) {
	ctx = t.trace.Context(ctx)
	answer, err := t.askBackend(ctx, last)
	if err == nil {
		return answer, nil
	}
	if answer := t.askStandIns(ctx, err); answer != nil {
		return answer, nil
	}
	return nil, &turn.Unanswered{Event: farewell(err), Err: err}
}

// farewell returns the event that ends a turn which nobody answers.
func farewell(err error) chatkit.ErrorEvent {
	if _, ok := errors.AsType[*relay.Failed](err); ok {
		return unavailable
	}
	return eventOf(problem.Body(err)) // it could not be sent
}

// askBackend asks the next backend. The error is one of the delivery's; a
// [*relay.Failed] says that no backend is left.
func (t *turning) askBackend(ctx context.Context, last turn.End) (*turn.Answer, error) {
	if t.visit != nil && t.visit.Own() || last != "" && !t.Delivery.More() {
		return nil, t.Delivery.Failed()
	}
	resp, err := t.Delivery.Next(ctx)
	if err != nil {
		return nil, err
	}
	if t.visit != nil {
		t.visit.Backend(ctx, resp)
	}
	if unfit(resp) {
		resp.Judge(session.OK, nil) // as for any request
		_ = resp.Body.Close()
		return nil, &relay.Failed{Trail: resp.Trail}
	}
	return t.answer(ctx, resp), nil
}

// answer returns a backend's response as the answer to the turn.
func (t *turning) answer(ctx context.Context, resp *relay.Response) *turn.Answer {
	passes := resp.StatusCode >= http.StatusMultipleChoices || resp.Header.Get("Content-Encoding") != ""
	if passes {
		resp.Judge(session.OK, nil)
	}
	a := &turn.Answer{
		Body: body{resp.Body}, Passes: passes, More: t.Delivery.More() || t.canStandIn(), Asked: resp.Asked,
		Judge: func(e turn.End, err error) { resp.Judge(verdict(e), cmp.Or(err, errNoContent)) }, Value: resp,
	}
	if t.visit != nil && !passes {
		t.visit.Watch(ctx, a)
	}
	return a
}

// unfit reports whether an answer to a turn is of no use to the widget, which
// understands only a stream. A refusal it understands.
func unfit(resp *relay.Response) bool {
	good := resp.StatusCode < http.StatusMultipleChoices
	return resp.StatusCode >= http.StatusInternalServerError || good && !resp.Streams()
}

// verdict returns what is to be thought of a backend by how its answer ended before
// it showed content.
func verdict(e turn.End) session.Reason {
	switch e {
	case turn.OK, turn.Error, turn.Passed:
		return session.OK
	case turn.FirstToken:
		return session.FirstToken
	case turn.Cut, turn.Reset:
		return session.Reset
	case turn.Idle:
		return session.Timeout
	case turn.Empty, turn.Unfinished:
		return session.InvalidResponse
	default:
		return session.Canceled
	}
}

// body is the body of an answer as turns know it.
type body struct{ io.ReadCloser }

// Read implements [io.Reader].
func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, relay.ErrIdle) {
		err = turn.ErrIdle
	}
	return n, err
}
