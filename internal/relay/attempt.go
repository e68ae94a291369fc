package relay

import (
	"context"
	"fmt"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// attempt is one try to send a request. Its context lives on with the response.
type attempt struct {
	client context.Context //nolint:containedctx // of the request: done when the client has gone
	ctx    context.Context //nolint:containedctx // of the attempt, which outlives the function that makes it
	cancel context.CancelCauseFunc
	req    *http.Request
	body   *payload
	clock  *clock
}

func (d *delivery) newAttempt() *attempt {
	a := &attempt{client: d.req.Context(), body: &d.body}
	a.ctx, a.cancel = context.WithCancelCause(a.client)
	a.clock = newClock(d.FirstByte, a.cancel)
	a.req = d.req.Clone(a.ctx)
	d.body.put(a.req, a.clock)
	return a
}

// send makes the round trip, up to the header of the response. A response that
// comes when the time is over is of no use: its context is canceled. A fault of
// the client's is not the backend's.
func (a *attempt) send(t Target) (*http.Response, error) {
	a.clock.start()
	defer a.clock.stop()
	resp, err := t.Send(a.req)
	if inTime := a.clock.stop(); err == nil && !inTime {
		_ = resp.Body.Close()
		resp, err = nil, context.Cause(a.ctx)
	}
	if fault := a.clock.fault(); err != nil && fault != nil {
		a.body.err = fmt.Errorf("reading body of the request: %w", fault)
		return resp, &session.Failure{Reason: session.Canceled, Err: err}
	}
	return resp, err
}

// discard drops a response that is not passed on.
func (a *attempt) discard(resp *http.Response) {
	a.cancel(nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}
