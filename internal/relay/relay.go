package relay

import (
	"context"
	"net/http"
	"slices"
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

	// Insist says that the first target has to be asked also in a ramp: it has issued
	// the session, and the others do not know it.
	Insist bool

	// Interrupt makes a read of the body return an error that would go on for too
	// long. Nil: nothing can.
	Interrupt func()
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
}

// Error implements error.
func (f *Failed) Error() string {
	if len(f.Steps) == 0 {
		return "no backend to carry the request to"
	}
	last := f.Last()
	return last.Target.Name + ": " + string(last.Verdict.Reason)
}

// Delivery is one request on its way to a backend. It is for one goroutine.
type Delivery struct {
	relay   *Relay
	req     Request
	ctx     context.Context //nolint:containedctx // of the call of Next
	targets []Target        // that were not asked yet
	ramped  []ramped        // that a ramp has refused
	again   bool            // those are asked now
	body    *payload
	trail   chain.Trail
	last    *answer // so far
	hold    time.Duration
	err     error // of the last attempt, for logs
}

// answer is the response of a target.
type answer struct {
	*http.Response
	attempt *attempt
	target  *chain.Target
	settle  func(session.Verdict, error)
	failed  bool // it counts as a failure
	before  int  // how many targets were asked or skipped before it
}

// Do sends a request to the first of the targets that accepts it and returns its
// response, or where none does the last response that there was. The error is a
// [*Failed], or one of reading the request's body.
func (r *Relay) Do(req Request, targets []Target) (*Response, error) {
	d := r.Open(req, targets)
	defer d.Close()
	return d.Next(req.Context())
}

// Open returns a request that is about to be sent to the first of the targets that
// accepts it. The delivery must be closed.
func (r *Relay) Open(req Request, targets []Target) *Delivery {
	for _, t := range targets[min(1, len(targets)):] {
		t.Breaker.Saw(req.Caller)
	}
	return &Delivery{relay: r, req: req, ctx: req.Context(), targets: targets, body: newPayload(req.Request)}
}

// Close gives the memory of the body back. Responses live on.
func (d *Delivery) Close() { d.body.release() }

// Header is that of the request as the backends get it. It may be changed before Next.
func (d *Delivery) Header() http.Header { return d.req.Header }

// Hold lets the verdict on an accepted answer wait for [Response.Judge], for as long
// as that may take. The header may not take longer either. 0: the verdict is given
// when the header is there.
func (d *Delivery) Hold(most time.Duration) { d.hold = most }

// Next sends the request to the first of the targets left that accepts it, as
// [Relay.Do] does. ctx is that of the attempts and of the response. Called again it
// asks the targets behind the one that has answered.
func (d *Delivery) Next(ctx context.Context) (*Response, error) {
	d.ctx, d.last = ctx, nil
	for d.left() {
		t, step := d.pop()
		d.err = nil
		v, err := d.ask(t, step)
		if err != nil {
			d.answered(nil)
			return nil, err
		}
		if v.Reason == session.OK {
			break
		}
		if v.Reason == session.Ramp {
			d.ramped = append(d.ramped, ramped{t, step})
		}
		d.note(chain.Step{Target: t.Target, Verdict: v, Err: d.err}, step, t.Breaker.RetryIn())
		if !d.moves(v) {
			break
		}
	}
	if ctx.Err() != nil && d.last != nil && d.last.failed {
		d.answered(nil) // nobody reads it
	}
	if d.last != nil {
		return d.response(), nil
	}
	return nil, &Failed{Trail: d.trail}
}

// Failed returns the error of a request that is not sent to another target any more.
func (d *Delivery) Failed() *Failed { return &Failed{Trail: d.trail} }

// More reports whether the request may go to another target if the one that has
// accepted it turns out to be of no use.
func (d *Delivery) More() bool {
	return d.relay.Failover == Any && d.left() && d.body.again()
}

// moves reports whether the request may go to another target after v.
func (d *Delivery) moves(v session.Verdict) bool {
	return d.relay.Failover.moves(v) && (v.Reason.Skipped() || d.body.again())
}

// answered keeps a response, until there is another one, and drops the one before.
func (d *Delivery) answered(a *answer) {
	if d.last != nil {
		d.last.attempt.discard(d.last.Response)
	}
	d.last = a
}

// response returns the response that is passed on. Of a success or a refusal the
// trail ends before it.
func (d *Delivery) response() *Response {
	resp := d.last.attempt.accept(d.last.Response, d.relay.Idle)
	resp.Asked = d.last.attempt.began
	trail := d.trail
	if !d.last.failed {
		trail.Steps = trail.Steps[:d.last.before]
	}
	trail.Steps = slices.Clone(trail.Steps)
	resp.Target, resp.Trail, resp.Failed, resp.settle = d.last.target, trail, d.last.failed, d.last.settle
	step := d.last.before
	resp.failed = func(v session.Verdict) { d.note(chain.Step{Target: resp.Target, Verdict: v}, step, 0) }
	return resp
}

// ask sends the request to one target, if its breaker lets it. The error is that of
// reading the body.
func (d *Delivery) ask(t Target, step int) (session.Verdict, error) {
	if d.ctx.Err() != nil {
		return t.GiveUp(d.ctx), nil //nolint:nilerr // the verdict has it
	}
	reason, err := d.refusal(t)
	switch {
	case err != nil:
		return session.Verdict{}, err
	case reason != session.OK:
		t.Observer.Skipped(d.ctx, reason)
		return session.Verdict{Reason: reason, Effect: session.Excluded, Next: true}, nil
	}
	return d.try(t, step)
}

// refusal returns why a target is not asked, [session.OK] if it is. The body is
// read here, before a permit is taken. Where that would be one of a half-open
// breaker's few, the whole body has to be there: a client can take as long as it
// likes for one that is not, and nobody else would be let through.
func (d *Delivery) refusal(t Target) (session.Reason, error) {
	reason, probe := t.Breaker.Peek(d.req.Caller)
	if reason != session.OK {
		return reason, nil
	}
	if probe || d.left() && d.relay.Failover != Off || d.body.length >= 0 && d.body.length <= small {
		if err := d.body.keep(d); err != nil {
			return "", err
		}
	}
	if !d.body.whole() {
		if reason, probe = t.Breaker.Peek(d.req.Caller); probe { // what was read took its time
			reason = session.Open
		}
	}
	return reason, nil
}

// try makes an attempt. The permit is given back as soon as the header of the
// answer is there, or when the answer was judged: a breaker does not wait for the
// rest.
func (d *Delivery) try(t Target, step int) (session.Verdict, error) {
	a := d.newAttempt()
	var resp *http.Response
	attempt := chain.Attempt{
		RequestID: d.req.ID, Client: d.ctx, Context: a.ctx,
		Carried: true, Caller: d.req.Caller, Life: 2*d.relay.FirstByte + d.hold,
		Later: d.later(), Insist: d.insists(), Uploads: !d.body.whole(),
	}
	attempt.Call = func() error {
		d.body.sent = true
		r, err := a.send(attempt.Context, t)
		if d.err = err; err != nil {
			return err
		}
		err = failure(r)
		resp = r
		return err
	}
	a.clock.uploaded = attempt.Uploaded
	v, settle := t.Begin(&attempt)
	if settle != nil && d.hold == 0 {
		settle(v, nil)
		settle = nil
	}
	if resp != nil {
		d.answered(&answer{resp, a, t.Target, settle, v.Effect == session.Failed, step})
		return v, nil
	}
	a.discard(nil)
	if err := a.fault(); err != nil {
		return v, err
	}
	if v.Reason == session.Canceled && d.ctx.Err() == nil && a.clock.midway() {
		v.Reason, v.Next = session.Reset, true // the body was too much for it
	}
	return v, nil
}
