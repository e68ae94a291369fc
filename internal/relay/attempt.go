package relay

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// attempt is one try to send a request. Its context lives on with the response.
type attempt struct {
	ctx    context.Context //nolint:containedctx // of the attempt, which outlives the function that makes it
	cancel context.CancelCauseFunc
	req    *http.Request
	clock  *clock
	began  time.Time
}

func (d *Delivery) newAttempt() *attempt {
	a := new(attempt)
	a.ctx, a.cancel = context.WithCancelCause(d.ctx)
	a.clock = newClock(d.firstByte(), a.cancel, d.req.Interrupt)
	a.req = d.req.Clone(a.ctx)
	a.req.Trailer = d.req.Trailer // filled in at the end of the body, which may be yet to come
	d.body.put(a.req, a.clock)
	return a
}

// firstByte is how long a target may take for the header of its answer: not longer
// than for what makes it of use.
func (d *Delivery) firstByte() time.Duration {
	if d.hold > 0 {
		return min(d.relay.FirstByte, d.hold)
	}
	return d.relay.FirstByte
}

// send makes the round trip, up to the header of the response. A response that
// comes when the time is over is of no use: its context is canceled. A fault of
// the client's is not the backend's. ctx is that of the attempt, and may say more.
func (a *attempt) send(ctx context.Context, t Target) (*http.Response, error) {
	if ctx != a.ctx {
		a.req = a.req.WithContext(ctx)
	}
	a.began = time.Now()
	a.clock.start()
	defer a.clock.stop()
	resp, err := t.Send(a.req)
	inTime := a.clock.stop()
	if err == nil && !inTime {
		err = context.Cause(a.ctx)
	}
	if err == nil {
		return resp, nil
	}
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if a.clock.fault() != nil || a.clock.midway() {
		err = &session.Failure{Reason: session.Canceled, Err: err}
	}
	return nil, err
}

// fault returns what the client did to end the attempt, nil if nothing.
func (a *attempt) fault() error {
	if err := a.clock.fault(); err != nil {
		return fmt.Errorf("reading body of the request: %w", err)
	}
	return nil
}

// discard ends an attempt whose response is not passed on.
func (a *attempt) discard(resp *http.Response) {
	a.cancel(nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}

// failure is what a response says by its status, nil if it is a success. The
// client's own credentials and content are on the way, so every 4xx is about them.
func failure(resp *http.Response) error {
	if resp.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	f := &session.Failure{Status: resp.StatusCode, Answered: true}
	if resp.StatusCode >= http.StatusInternalServerError {
		f.RetryAfter = session.RetryAfter(resp.Header, time.Now())
	}
	return f
}
