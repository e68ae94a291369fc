package relay

import (
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Target is a backend a request can be carried to.
type Target struct {
	*chain.Target

	// Send makes the round trip: it turns req, which is its own, to the
	// backend's address and sends it.
	Send func(req *http.Request) (*http.Response, error)
}

// Request is a request to be carried.
type Request struct {
	*http.Request

	// ID is the id of the request, for logs.
	ID string

	// Caller is who asks.
	Caller session.Caller

	// Interrupt makes a read of the body return an error that would go on for too
	// long. Nil: nothing can.
	Interrupt func()

	// Prefix is how much of the body's beginning is to be known afterwards, in
	// bytes, also where the body is not kept.
	Prefix int
}

// Content is the body of a request as far as it is known.
type Content struct {
	Bytes []byte
	Whole bool // nothing is missing
}

// Relay takes requests to the first target that accepts them. It is safe for
// concurrent use.
type Relay struct {
	Failover Failover

	// Buffer is how much of a body is kept in memory for another target, in
	// bytes. A longer one goes to the first target whose breaker lets it, once.
	// BufferTotal limits the memory of all kept bodies of the process: a body
	// beyond it is not kept.
	Buffer      int64
	BufferTotal int64

	// FirstByte is how long a target may take until the header of its answer is
	// there, how long a client may take for a body that is kept, and how long it
	// may pause within one that is not.
	FirstByte time.Duration

	// Idle is how long an answer may pause. It does not end upgraded
	// connections.
	Idle time.Duration
}

// Failed is the error of a request that no target has answered.
type Failed struct {
	// Trail holds the targets that were asked or skipped, in order.
	chain.Trail

	// Sent is the request's body.
	Sent Content
}

// Error implements error.
func (f *Failed) Error() string {
	if len(f.Steps) == 0 {
		return "no backend to carry the request to"
	}
	last := f.Last()
	return last.Target.Name + ": " + string(last.Verdict.Reason)
}

// delivery is one request on its way to a backend.
type delivery struct {
	*Relay
	Request
	body  *payload
	trail chain.Trail
	last  *answer // so far
	err   error   // of the last attempt, for logs
}

// answer is the response of a target.
type answer struct {
	*http.Response
	attempt *attempt
	target  *chain.Target
	failed  bool // it counts as a failure
	before  int  // how many targets were asked or skipped before it
}

// Do sends a request to the first of the targets that accepts it and returns its
// response, or where none does the last response that there was. The error is a
// [*Failed], or one of reading the request's body.
func (r *Relay) Do(req Request, targets []Target) (*Response, error) {
	d := delivery{Relay: r, Request: req, body: newPayload(req.Request, req.Prefix)}
	defer d.body.release()
	for _, t := range targets[min(1, len(targets)):] {
		t.Breaker.Saw(req.Caller)
	}
	for i, t := range targets {
		d.err = nil
		v, err := d.ask(t, i < len(targets)-1)
		if err != nil {
			d.answered(nil)
			return nil, err
		}
		if v.Reason == session.OK {
			break
		}
		d.trail.Add(chain.Step{Target: t.Target, Verdict: v, Err: d.err}, t.Breaker.RetryIn())
		if !d.moves(v) {
			break
		}
	}
	if req.Context().Err() != nil && d.last != nil && d.last.failed {
		d.answered(nil) // nobody reads it
	}
	if d.last != nil {
		return d.response(), nil
	}
	d.body.peek(&d)
	return nil, &Failed{Trail: d.trail, Sent: d.body.beginning()}
}

// moves reports whether the request may go to another target after v.
func (d *delivery) moves(v session.Verdict) bool {
	return d.Failover.moves(v) && (v.Reason.Skipped() || d.body.again())
}

// answered keeps a response, until there is another one, and drops the one before.
func (d *delivery) answered(a *answer) {
	if d.last != nil {
		d.last.attempt.discard(d.last.Response)
	}
	d.last = a
}

// response returns the response that is passed on. Of a success or a refusal the
// trail ends before it.
func (d *delivery) response() *Response {
	resp := d.last.attempt.accept(d.last.Response, d.Idle)
	if !d.last.failed {
		d.trail.Steps = d.trail.Steps[:d.last.before]
	}
	resp.Target, resp.Trail, resp.Failed, resp.Sent = d.last.target, d.trail, d.last.failed, d.body.beginning()
	return resp
}

// ask sends the request to one target, if its breaker lets it. more says that there
// is another target. The error is that of reading the body.
func (d *delivery) ask(t Target, more bool) (session.Verdict, error) {
	if err := d.Context().Err(); err != nil {
		return t.GiveUp(err), nil
	}
	reason, err := d.refusal(t, more)
	switch {
	case err != nil:
		return session.Verdict{}, err
	case reason != session.OK:
		t.Observer.Skipped(reason)
		return session.Verdict{Reason: reason, Effect: session.Excluded, Next: true}, nil
	}
	return d.try(t)
}

// refusal returns why a target is not asked, [session.OK] if it is. The body is
// read here, before a permit is taken. Where that would be one of a half-open
// breaker's few, the whole body has to be there: a client can take as long as it
// likes for one that is not, and nobody else would be let through.
func (d *delivery) refusal(t Target, more bool) (session.Reason, error) {
	reason, probe := t.Breaker.Peek(d.Caller)
	if reason != session.OK {
		return reason, nil
	}
	if probe || more && d.Failover != Off || d.body.length >= 0 && d.body.length <= small {
		if err := d.body.keep(d); err != nil {
			return "", err
		}
	}
	if !d.body.whole() {
		if reason, probe = t.Breaker.Peek(d.Caller); probe { // what was read took its time
			reason = session.Open
		}
	}
	return reason, nil
}

// try makes an attempt. The permit is given back as soon as the header of the
// answer is there: a breaker does not wait for the rest.
func (d *delivery) try(t Target) (session.Verdict, error) {
	a := d.newAttempt()
	var resp *http.Response
	v := t.Try(&chain.Attempt{
		RequestID: d.ID, Client: d.Context(), Context: a.ctx,
		Carried: true, Caller: d.Caller, Life: 2 * d.FirstByte,
		Call: func() error {
			d.body.sent = true
			r, err := a.send(t)
			if d.err = err; err != nil {
				return err
			}
			err = failure(r)
			resp = r
			return err
		},
	})
	if resp != nil {
		d.answered(&answer{resp, a, t.Target, v.Effect == session.Failed, len(d.trail.Steps)})
		return v, nil
	}
	a.discard(nil)
	if err := a.fault(); err != nil {
		return v, err
	}
	if v.Reason == session.Canceled && d.Context().Err() == nil && a.clock.midway() {
		v.Reason, v.Next = session.Reset, true // the body was too much for it
	}
	return v, nil
}
