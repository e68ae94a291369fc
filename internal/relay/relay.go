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
	*chain.Target

	// Send makes the round trip: it turns req, which is its own, to the
	// backend's address and sends it.
	Send func(req *http.Request) (*http.Response, error)
}

// Relay takes requests to the first target that accepts them. It is safe for
// concurrent use.
type Relay struct {
	Failover Failover

	// Buffer is how much of a body is kept in memory for another target, in
	// bytes. A longer one goes to the first target whose breaker lets it, once.
	Buffer int64

	// FirstByte is how long a target may take until the header of its answer is
	// there, and how long a client may pause within a body that is not kept.
	FirstByte time.Duration

	// Idle is how long an answer may pause. It does not end upgraded
	// connections.
	Idle time.Duration
}

// Failed is the error of a request that no target accepted.
type Failed struct {
	// Trail holds the targets that were asked or skipped, in order.
	chain.Trail

	// Body is the request's body as far as it was kept: all of it, or of one
	// that is too long its beginning or nothing.
	Body []byte
}

// Error implements error.
func (f *Failed) Error() string {
	if len(f.Steps) == 0 {
		return "no backend to carry the request to"
	}
	last := f.Last()
	return last.Target.Name + ": " + string(last.Verdict.Reason)
}

// ErrIdle is the cause of an answer that was ended because it paused too long.
var ErrIdle = errors.New("the backend sent nothing for too long")

// delivery is one request on its way to a backend.
type delivery struct {
	*Relay
	id   string // of the request
	req  *http.Request
	body payload
}

// Do sends req to the first of the targets that accepts it and returns its
// response. The error is a [*Failed], or one of reading the request's body. id is
// the id of the request, for logs.
func (r *Relay) Do(req *http.Request, id string, targets []Target) (*Response, error) {
	body, err := read(req, r.Buffer)
	if err != nil {
		return nil, err
	}
	d := delivery{Relay: r, id: id, req: req, body: body}
	failed := &Failed{Body: body.head}
	for i, t := range targets {
		resp, v := d.ask(t, i < len(targets)-1)
		if resp != nil {
			resp.Target, resp.Trail = t.Target, failed.Trail
			return resp, nil
		}
		if d.body.err != nil {
			return nil, d.body.err
		}
		failed.Add(chain.Step{Target: t.Target, Verdict: v}, t.Breaker.RetryIn())
		if !d.moves(v) {
			break
		}
	}
	return nil, failed
}

// moves reports whether the request may go to another target after v.
func (d *delivery) moves(v session.Verdict) bool {
	return d.Failover.moves(v) && (v.Reason.Skipped() || d.body.again())
}

// ask sends the request to one target. The permit is given back as soon as the
// header of the answer is there: a breaker does not wait for the rest. more says
// that there is another target.
func (d *delivery) ask(t Target, more bool) (*Response, session.Verdict) {
	if err := d.req.Context().Err(); err != nil {
		return nil, t.GiveUp(err)
	}
	a := d.newAttempt()
	var resp *http.Response
	v := t.Try(&chain.Attempt{
		RequestID: d.id, Client: a.client, Context: a.ctx,
		Call: func() (err error) {
			if resp, err = a.send(t); err != nil {
				return err
			}
			return d.refused(t, resp, more)
		},
	})
	if v.Reason == session.OK {
		return a.accept(resp, d.Idle), v
	}
	a.discard(resp)
	return nil, v
}

// refused returns the failure of a response with an error status, nil if the
// client is to read it: it is about the client, and no other target is asked.
func (d *delivery) refused(t Target, resp *http.Response, more bool) error {
	if resp.StatusCode < http.StatusBadRequest {
		return nil
	}
	f := failure(resp)
	v := session.Classify(d.req.Context(), d.req.Context(), f, t.FallbackOn)
	if v.Effect != session.Failed && (!more || !d.moves(v)) {
		return nil
	}
	return f
}

// failure judges a response by its status. The client's own credentials are on
// the way, so a 401 is about them; a 404 may be, as it can say that the backend
// does not know the session.
func failure(resp *http.Response) *session.Failure {
	f := &session.Failure{
		Status: resp.StatusCode, CallerCredentials: true, Answered: true,
		RetryAfter: session.RetryAfter(resp.Header, time.Now()),
	}
	if resp.StatusCode == http.StatusNotFound {
		f.Reason = session.Rejected
	}
	return f
}
