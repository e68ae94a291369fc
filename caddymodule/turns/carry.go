package turns

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// knownPrefix is how much of a chatkit request's beginning is always known, in
// bytes: its type stands there.
const knownPrefix = 4 << 10

// Call is a request of ChatKit's custom-server protocol.
type Call struct {
	// Delivery takes the request to the backends. [Policy.Carry] closes it.
	Delivery *relay.Delivery

	// Buffer is how much of a body the delivery keeps, in bytes.
	Buffer int64

	outage.Who

	// Refused says that the request is over a limit of all carried requests. It is not
	// carried then. Nil: it is not.
	Refused *limit.Refused

	// Drill says that it attaches to no turn, and nobody to its own.
	Drill bool

	// Left says how the client has left; see [LeavingOf].
	Left func(lost func()) turn.Leaving
}

// Answer is the answer to a call.
type Answer struct {
	// Response is what the client gets.
	Response *http.Response

	// Backend is the backend's response. Several turns' clients may share it. Nil
	// where stand-ins answer.
	Backend *relay.Response

	// StandIns is not nil where they answer.
	StandIns *outage.Answered

	// Client reads the turn as Response's body. Nil where there is no turn.
	Client *turn.Client
}

// Carry carries a call. The error is an [*EventError] for a turn, and for anything
// else a [*RefusedError] or one of the delivery's.
func (p *Policy) Carry(r *http.Request, c *Call) (*Answer, error) {
	read := c.Delivery.Keep
	if c.Refused != nil {
		read = c.Delivery.Peek
	}
	body, whole, err := read(knownPrefix)
	asked := chatkit.ReadRequest(body)
	if err != nil {
		c.Delivery.Close()
		if asked.Type.Streams() {
			err = &EventError{eventOf(problem.Body(err)).Frame(), err}
		}
		return nil, err
	}
	if c.Refused != nil {
		c.Delivery.Close()
		return nil, overLimit(&asked, c.Refused)
	}
	t := &turning{policy: p, Call: c}
	if err := p.check(r.Context(), &asked, body, whole, t); err != nil {
		c.Delivery.Close()
		return nil, err
	}
	if asked.Type.Streams() {
		c.Delivery.Hold(p.options.FirstToken)
		c.Delivery.Header().Set("Accept-Encoding", "identity") // frames are to be read
		return t.do(r, &asked, body, whole)
	}
	defer c.Delivery.Close()
	if asked.Type.Loads() {
		p.common.Loads(c.Scope, c.Asker.Caller, c.Frame)
	}
	return t.carry(r)
}

// check refuses a request that nobody is asked for.
func (p *Policy) check(ctx context.Context, asked *chatkit.Request, body []byte, whole bool, t *turning) error {
	if err := p.checkOwner(ctx, asked, whole, t.Call); err != nil || p.standIns == nil {
		return err
	}
	visit, refusal := p.standIns.Visit(&t.Who, body, whole, t.Buffer)
	if refusal != nil {
		return forbid(asked, refusal)
	}
	t.visit = visit
	return nil
}

// carry has a request answered that is no turn.
func (t *turning) carry(r *http.Request) (*Answer, error) {
	if t.visit != nil && t.visit.Own() {
		return t.fromStandIns(r, t.Delivery.Failed())
	}
	resp, err := t.Delivery.Next(r.Context())
	if err == nil {
		if t.visit != nil {
			t.visit.Backend(r.Context(), resp)
		}
		return &Answer{Response: resp.Response, Backend: resp}, nil
	}
	failed, ok := errors.AsType[*relay.Failed](err)
	if !ok || t.visit == nil || r.Context().Err() != nil || !t.visit.Failed(failed) {
		return nil, err
	}
	return t.fromStandIns(r, failed)
}
