package turns

import (
	"net/http"

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

	Asker     turn.Asker
	RequestID string

	// Left says how the client has left; see [LeavingOf].
	Left func(lost func()) turn.Leaving
}

// Answer is the answer to a call.
type Answer struct {
	// Response is what the client gets.
	Response *http.Response

	// Backend is the backend's response. Several turns' clients may share it.
	Backend *relay.Response

	// Client reads the turn as Response's body. Nil where there is no turn.
	Client *turn.Client
}

// Carry carries a call. The error is an [*EventError] for a turn, and for anything
// else a [*RefusedError] or one of the delivery's.
func (p *Policy) Carry(r *http.Request, c *Call) (*Answer, error) {
	body, whole, err := c.Delivery.Keep(knownPrefix)
	if err != nil {
		c.Delivery.Close()
		return nil, err
	}
	asked := chatkit.ReadRequest(body)
	if err := p.checkOwner(&asked, whole, c); err != nil {
		c.Delivery.Close()
		return nil, err
	}
	if asked.Type.Streams() {
		c.Delivery.Hold(p.options.FirstToken)
		t := &turning{policy: p, Call: c}
		return t.do(r, &asked, body, whole)
	}
	defer c.Delivery.Close()
	if asked.Type.Loads() {
		p.shared.Loads(c.Asker.Scope, c.Asker.Caller, c.Asker.Frame)
	}
	resp, err := c.Delivery.Next(r.Context())
	if err != nil {
		return nil, err
	}
	return &Answer{Response: resp.Response, Backend: resp}, nil
}
