package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// knownPrefix is how much of a chatkit request's beginning is always known, in
// bytes: its type stands there.
const knownPrefix = 4 << 10

// unavailable ends a turn that no backend answers. On a 5xx, or another content type,
// the widget silently retries five times.
var unavailable = chatkit.ErrorEvent{Message: "The chat is unavailable for the moment", AllowRetry: true}

// unknownThread is the answer to a request in a thread that does not exist.
var unknownThread = chatkit.ErrorEvent{Message: "This conversation could not be found."}

// turnPolicy is how a chatkit route serves turns.
type turnPolicy struct {
	turn.Options
	*turns

	owner   string // thread_owner
	threads shared.Threads
	rate    *limit.RateConfig // nil: no limit
}

// newTurnPolicy returns the policy of a route.
func (h *Handler) newTurnPolicy(r RouteConfig) *turnPolicy {
	c := r.Turn
	if c == nil {
		c = new(TurnConfig)
	}
	return &turnPolicy{Options: c.settings(), turns: h.turns, owner: cmp.Or(c.ThreadOwner, ownerLogged), rate: c.Turns,
		threads: shared.Threads{Owners: h.turns.owners, Link: h.link, Hosts: func() []string { return h.site().Hosts() }, Path: r.Path}}
}

// eventError is the error of a turn without an answer: its client gets an event.
type eventError struct {
	event []byte
	err   error
}

// Error implements error.
func (e *eventError) Error() string { return "the turn has no answer: " + e.err.Error() }

// Unwrap returns why.
func (e *eventError) Unwrap() error { return e.err }

// refusedError is the error of a request that is not carried.
type refusedError struct{ problem *problem.Problem }

// Error implements error.
func (e *refusedError) Error() string { return e.problem.Details }

// carryChatKit carries a request of ChatKit's custom-server protocol.
func (p *carriedProxy) carryChatKit(r *http.Request, pass *passage) (*http.Response, error) {
	d := p.relay.Open(p.request(r, pass), pass.targets)
	body, whole, err := d.Keep(knownPrefix)
	if err != nil {
		d.Close()
		return nil, err
	}
	asked := chatkit.ReadRequest(body)
	if err := p.checkOwner(r.Context(), &asked, whole, pass); err != nil {
		d.Close()
		return nil, err
	}
	if asked.Type.Streams() {
		d.Hold(p.turns.FirstToken)
		t := &turning{proxy: p, pass: pass, delivery: d}
		return t.do(r, &asked, body, whole)
	}
	defer d.Close()
	if asked.Type.Loads() {
		p.turns.Loads(pass.asker.Scope, pass.asker.Caller, pass.asker.Frame)
	}
	resp, err := d.Next(r.Context())
	if err != nil {
		return nil, err
	}
	return p.passOn(resp, pass), nil
}

// checkOwner refuses a request in somebody else's thread, or notes it.
func (p *carriedProxy) checkOwner(ctx context.Context, asked *chatkit.Request, whole bool, pass *passage) error {
	enforced := p.turns.owner == ownerEnforced
	switch {
	case p.turns.owner == ownerOff:
		return nil
	case enforced && !whole: // the rest could say something else
		return p.forbid(asked, tooLong(p.relay.Buffer))
	case enforced && asked.Unclear:
		return p.forbid(asked, problem.BadRequest("Body can be read in two ways"))
	case asked.Thread == "" || !p.turns.threads.Others(ctx, pass.asker.Scope, asked.Thread, pass.asker.Caller):
		return nil
	}
	if ok, held := p.foreign.Pass(p.turns.owner); ok {
		p.logger.Warn("a request is in a thread that another caller has created", zap.String("request_id", pass.requestID),
			zap.Bool("refused", enforced), zap.Int("suppressed", held))
	}
	if !enforced {
		return nil
	}
	telemetry.TurnRefused(telemetry.LimitOwner)
	return p.forbid(asked, &problem.Problem{Status: http.StatusNotFound, Code: problem.CodeNotFound, Title: "Not found", Details: "There is no such thread"})
}

// forbid returns the error of a request that is not carried. A turn gets an event.
func (p *carriedProxy) forbid(asked *chatkit.Request, why *problem.Problem) error {
	err := &refusedError{why}
	if !asked.Type.Streams() {
		return err
	}
	event := unknownThread
	if why.Status != http.StatusNotFound {
		event = chatkit.ErrorEvent{Message: why.Details + "."}
	}
	return &eventError{event.Frame(), err}
}

// unanswered returns the error of a turn that no backend answers.
func unanswered(err error) error { return &turn.Unanswered{Event: unavailable, Err: err} }

// unfit reports whether an answer to a turn is of no use to the widget, which
// understands only a stream. A refusal it understands.
func unfit(resp *relay.Response) bool {
	good := resp.StatusCode < http.StatusMultipleChoices
	return resp.StatusCode >= http.StatusInternalServerError || good && !isEventStream(resp.Header.Get("Content-Type"))
}

// writeEvent answers a turn that has no answer.
func (c *carriedRequest) writeEvent(e *eventError) {
	sseHeaders(c.w.Header(), c.r)
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(e.event)
	details := e.err.Error()
	if failed, ok := errors.AsType[*relay.Failed](e); ok {
		c.reason = failed.Reason()
		p := problem.Unserved(&failed.Trail)
		details = p.Details
		c.tellFailed(&failed.Trail)
		c.tellUnserved(&failed.Trail, p.Status)
	}
	c.h.logger.Debug("a turn has no answer", zap.String("details", details))
}
