package relay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// left is the verdict on a target that is not asked because nobody waits for it
// any more.
func (c *carriage) left(t Target, err error) session.Verdict {
	v := session.Verdict{Reason: session.Canceled, Effect: session.Excluded}
	if errors.Is(err, context.DeadlineExceeded) { // somebody else's time limit
		v.Reason = session.Budget
	}
	c.obs.Skipped(t.Link, v.Reason)
	return v
}

// exchange is one attempt with its own context.
type exchange struct {
	client context.Context //nolint:containedctx // of the request: done when the client has gone
	ctx    context.Context //nolint:containedctx // of the attempt, which outlives the function that makes it
	cancel context.CancelCauseFunc
	req    *http.Request
	body   *payload
	clock  *clock
}

func newExchange(req *http.Request, body *payload, limit time.Duration) *exchange {
	e := &exchange{client: req.Context(), body: body}
	e.ctx, e.cancel = context.WithCancelCause(e.client)
	e.clock = newClock(limit, e.cancel)
	e.req = req.Clone(e.ctx)
	body.put(e.req, e.clock)
	return e
}

// call makes the exchange, up to the header of the answer, and judges it by the
// classification table. A panic in a transport costs the attempt, not the
// request and not the permit.
func (e *exchange) call(t Target) (resp *http.Response, v session.Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &session.Failure{Reason: session.Misconfigured, Err: panicError(p)}
			v = session.Classify(e.client, e.ctx, err, t.Onward)
		}
	}()
	resp, err = e.send(t)
	if fault := e.clock.fault(); err != nil && fault != nil { // the client's, not the backend's
		e.body.err = fmt.Errorf("reading body of the request: %w", fault)
		return resp, session.Verdict{Reason: session.Canceled, Effect: session.Excluded}, err
	}
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = refusal(resp)
	}
	return resp, session.Classify(e.client, e.ctx, err, t.Onward), err
}

// send makes the exchange, up to the header of the answer. One that comes when
// its time is over is of no use: its context is canceled.
func (e *exchange) send(t Target) (*http.Response, error) {
	e.clock.start()
	defer e.clock.stop()
	resp, err := t.Send(e.req)
	if inTime := e.clock.stop(); err == nil && !inTime {
		_ = resp.Body.Close()
		return nil, context.Cause(e.ctx)
	}
	return resp, err
}

// refusal is an answer with an error status, judged with the client's own
// credentials on the way, so that a 401 is about them; and so may a 404 be,
// which says that the backend does not know the session.
func refusal(resp *http.Response) *session.Failure {
	f := &session.Failure{
		Status: resp.StatusCode, CallerCredentials: true, Answered: true,
		RetryAfter: session.RetryAfter(resp.Header, time.Now()),
	}
	if resp.StatusCode == http.StatusNotFound {
		f.Reason = session.Rejected
	}
	return f
}

// panicError tells of a panic without repeating a value that may hold a secret.
func panicError(p any) error {
	if re, ok := p.(runtime.Error); ok {
		return fmt.Errorf("transport panicked: %w", re)
	}
	return fmt.Errorf("transport panicked with a %T", p)
}

// discard drops an answer that is not passed on.
func (e *exchange) discard(resp *http.Response) {
	e.cancel(nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}
