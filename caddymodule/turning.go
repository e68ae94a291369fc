package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// turning is a request on its way to a turn.
type turning struct {
	proxy    *carriedProxy
	pass     *passage
	delivery *relay.Delivery
}

// do returns what the client reads: of a new turn, or of one that runs.
func (t *turning) do(r *http.Request, asked *chatkit.Request, body []byte, whole bool) (*http.Response, error) {
	req := &turn.Request{
		Asker: t.pass.asker, Options: t.proxy.turns.Options, Thread: asked.Thread,
		Ask: t.ask, Settled: t.delivery.Close, Left: t.pass.left, Observer: t.proxy.observer(t.pass),
	}
	if whole && !t.pass.drill { // a drill attaches to no turn, and nobody to its own
		req.Key = req.KeyOf(append([]byte(r.URL.RawQuery+"\x00"), body...))
	}
	c, err := t.proxy.turns.Do(r.Context(), req)
	if c == nil || c.Attached() {
		t.delivery.Close()
	}
	switch {
	case err == nil:
		return t.respond(c)
	case r.Context().Err() != nil:
		return nil, new(relay.Failed) // nobody reads it
	}
	event := chatkit.ErrorEvent{Code: chatkit.StreamError, AllowRetry: true}
	if refused, ok := errors.AsType[*turn.Refused](err); ok {
		event = refused.Event
		telemetry.TurnRefused(refused.Limit)
	}
	return nil, &eventError{event.Frame(), err}
}

// respond returns the response that a client of a turn reads.
func (t *turning) respond(c *turn.Client) (*http.Response, error) {
	answer := c.Answer()
	if answer == nil {
		defer c.Close()
		event, _ := io.ReadAll(c) // it is there
		_, err := c.Ended()
		return nil, &eventError{event, err}
	}
	given, ok := answer.Value.(*relay.Response)
	if !ok {
		_ = c.Close()
		return nil, errors.New("the answer is not a backend's")
	}
	t.pass.client = c
	if c.Passes() {
		given.Body = c
		return t.proxy.passOn(given, t.pass), nil
	}
	resp := *given.Response // many may read it
	resp.Header, resp.Trailer, resp.Body, resp.ContentLength = given.Header.Clone(), nil, c, -1
	resp.Header.Del("Content-Length")
	resp.Header.Del("Trailer")
	t.pass.response = given
	return t.proxy.cleaned(&resp, t.pass), nil
}

// ask asks the next backend.
func (t *turning) ask(ctx context.Context, _ turn.End) (*turn.Answer, error) {
	resp, err := t.delivery.Next(ctx)
	if err != nil {
		return nil, unanswered(err)
	}
	if unfit(resp) {
		resp.Judge(session.OK, nil) // as for any request
		_ = resp.Body.Close()
		return nil, unanswered(&relay.Failed{Trail: resp.Trail})
	}
	passes := resp.StatusCode >= http.StatusMultipleChoices || resp.Header.Get("Content-Encoding") != ""
	if passes {
		resp.Judge(session.OK, nil)
	}
	return &turn.Answer{
		Body: turnBody{resp.Body}, Passes: passes, More: t.delivery.More(), Asked: resp.Asked,
		Judge: func(e turn.End, err error) { resp.Judge(verdict(e), cmp.Or(err, errNoContent)) }, Value: resp,
	}, nil
}

// errNoContent is the error of an answer that ended before it showed content.
var errNoContent = errors.New("the turn ended without content")

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

// turnBody is the body of an answer as turns know it.
type turnBody struct{ io.ReadCloser }

// Read implements [io.Reader].
func (b turnBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, relay.ErrIdle) {
		err = turn.ErrIdle
	}
	return n, err
}
