package relay

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Target is a backend a request can be carried to.
type Target struct {
	*chain.Link

	// Send makes the exchange with the backend: it turns req, which is its
	// own, to the backend's address and sends it.
	Send func(req *http.Request) (*http.Response, error)
}

// Relay sends a request to the first target that takes it. It is safe for
// concurrent use.
type Relay struct {
	Targets  []Target
	Failover Failover

	// Buffer is how much of a body is kept in memory for another target, in
	// bytes. A longer one goes to the first target whose gate is open, once.
	Buffer int64

	// FirstByte is how long a target may take until the header of its answer
	// is there, and how long a client may pause within a body that is not kept.
	FirstByte time.Duration

	// Idle is how long an answer may pause. It does not end upgraded
	// connections.
	Idle time.Duration
}

// Failed is the error of a request that no target took.
type Failed struct {
	// Trail holds the targets that were asked or skipped, in order.
	Trail []chain.Step

	// RetryIn is the shortest wait until a skipped target may be asked.
	RetryIn time.Duration

	// Body is the request's body as far as it was kept: all of it, or of one
	// that is too long its beginning or nothing.
	Body []byte
}

// Error implements error.
func (f *Failed) Error() string {
	if len(f.Trail) == 0 {
		return "no backend to carry the request to"
	}
	last := f.Trail[len(f.Trail)-1]
	return last.Link.Name + ": " + string(last.Verdict.Reason)
}

// ErrIdle is the cause of an answer that was ended because it paused too long.
var ErrIdle = errors.New("the backend sent nothing for too long")

// carriage is one request on its way to a backend.
type carriage struct {
	*Relay
	req  *http.Request
	body payload
	obs  chain.Observer
}

// Carry sends req and returns the answer of the target that took it. The error
// is a [*Failed], or one of reading the request's body.
func (r *Relay) Carry(req *http.Request, obs chain.Observer) (*Answer, error) {
	body, err := read(req, r.Buffer)
	if err != nil {
		return nil, err
	}
	c := carriage{Relay: r, req: req, body: body, obs: obs}
	f := &Failed{Body: body.head}
	for i, t := range r.Targets {
		a, v := c.ask(t, i < len(r.Targets)-1)
		if a != nil {
			a.Link, a.Trail = t.Link, f.Trail
			return a, nil
		}
		if c.body.err != nil {
			return nil, c.body.err
		}
		f.note(t.Link, v)
		if !c.moves(v) {
			break
		}
	}
	return nil, f
}

// note adds a target that did not take the request.
func (f *Failed) note(l *chain.Link, v session.Verdict) {
	f.Trail = append(f.Trail, chain.Step{Link: l, Verdict: v})
	if !v.Reason.Skipped() {
		return
	}
	if in := l.Gate.RetryIn(); in > 0 && (f.RetryIn == 0 || in < f.RetryIn) {
		f.RetryIn = in
	}
}

// moves tells whether the request may go to another target after v.
func (c *carriage) moves(v session.Verdict) bool {
	return c.Failover.moves(v) && (v.Reason.Skipped() || c.body.again())
}

// ask sends the request to one target, under a permit that is given back as
// soon as the header of the answer is there: how the answer goes on says
// nothing that a breaker should wait for. more tells whether there is another.
func (c *carriage) ask(t Target, more bool) (*Answer, session.Verdict) {
	if err := c.req.Context().Err(); err != nil {
		return nil, c.left(t, err)
	}
	done, reason := t.Gate.Allow()
	if reason != session.OK {
		c.obs.Skipped(t.Link, reason)
		return nil, session.Verdict{Reason: reason, Next: true}
	}
	start := time.Now()
	e := newExchange(c.req, &c.body, c.FirstByte)
	resp, v, err := e.call(t)
	if resp != nil && v.Effect == session.Success && (!more || !c.moves(v)) {
		v, err = session.Verdict{Effect: session.Success, Status: resp.StatusCode}, nil // the client's to read
	}
	took := time.Since(start)
	c.obs.Attempted(t.Link, v, took, err) // first: it knows then why a breaker opens
	done(v.Effect, took)
	if v.Cooldown > 0 {
		t.Gate.CoolDown(v.Cooldown)
	}
	if v.Reason == session.OK {
		return e.commit(resp, c.Idle), v
	}
	e.discard(resp)
	return nil, v
}
