package relay

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/session"
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
	// is there.
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

	// Body is the beginning of the request's body.
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

// Carry sends req and returns the answer of the target that took it. The error
// is a [*Failed], or one of reading the request's body.
func (r *Relay) Carry(req *http.Request, obs chain.Observer) (*Answer, error) {
	body, err := read(req, r.Buffer)
	if err != nil {
		return nil, err
	}
	f := &Failed{Body: body.head}
	for _, t := range r.Targets {
		a, v := r.ask(req, t, &body, obs)
		if a != nil {
			a.Link, a.Trail = t.Link, f.Trail
			return a, nil
		}
		f.Trail = append(f.Trail, chain.Step{Link: t.Link, Verdict: v})
		if v.Reason.Skipped() {
			f.skip(t.Gate.RetryIn())
		}
		if !r.Failover.moves(v) || (!v.Reason.Skipped() && !body.again()) {
			break
		}
	}
	return nil, f
}

// skip notes how long a skipped target is out.
func (f *Failed) skip(in time.Duration) {
	if f.RetryIn == 0 || in < f.RetryIn {
		f.RetryIn = in
	}
}

// ask sends the request to one target, under a permit that is given back as
// soon as the header of the answer is there: how the answer goes on says
// nothing that a breaker should wait for.
func (r *Relay) ask(req *http.Request, t Target, body *payload, obs chain.Observer) (*Answer, session.Verdict) {
	if req.Context().Err() != nil {
		return nil, session.Verdict{Reason: session.Canceled}
	}
	done, reason := t.Gate.Allow()
	if reason != session.OK {
		obs.Skipped(t.Link, reason)
		return nil, session.Verdict{Reason: reason, Next: true}
	}
	start := time.Now()
	e := newExchange(req, body)
	resp, err := e.send(t, r.FirstByte)
	v := e.judge(req.Context(), resp, err, t.Onward)
	took := time.Since(start)
	done(v.Effect, took)
	if v.Cooldown > 0 {
		t.Gate.CoolDown(v.Cooldown)
	}
	obs.Attempted(t.Link, v, took, err)
	if v.Reason == session.OK {
		return e.commit(resp, r.Idle), v
	}
	e.discard(resp)
	return nil, v
}

// exchange is one attempt with its own context.
type exchange struct {
	ctx    context.Context //nolint:containedctx // of the attempt, which outlives the function that makes it
	cancel context.CancelCauseFunc
	req    *http.Request
}

func newExchange(req *http.Request, body *payload) *exchange {
	e := new(exchange)
	e.ctx, e.cancel = context.WithCancelCause(req.Context())
	e.req = req.Clone(e.ctx)
	body.put(e.req)
	return e
}

// send makes the exchange, up to the header of the answer.
func (e *exchange) send(t Target, limit time.Duration) (*http.Response, error) {
	timer := time.AfterFunc(limit, func() { e.cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	return t.Send(e.req)
}

// judge is the classification table, with the client's own credentials on the
// way, so that a 401 is about them; and so may a 404 be, which says that the
// backend does not know the session.
func (e *exchange) judge(ctx context.Context, resp *http.Response, err error, onward *session.StatusSet) session.Verdict {
	if err == nil && (resp.StatusCode < http.StatusBadRequest || resp.StatusCode == http.StatusNotFound) {
		return session.Verdict{Effect: session.Success, Status: resp.StatusCode}
	}
	if err == nil {
		err = &session.Failure{
			Status: resp.StatusCode, CallerCredentials: true, Answered: true,
			RetryAfter: session.RetryAfter(resp.Header, time.Now()),
		}
	}
	v := session.Classify(ctx, e.ctx, err, onward)
	if v.Reason == session.Rejected {
		return session.Verdict{Effect: session.Success, Status: v.Status} // the client's to read
	}
	return v
}

// discard drops an answer that is not passed on.
func (e *exchange) discard(resp *http.Response) {
	e.cancel(nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
}
