package turns

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// StandIns gives a route its stand-ins, where it has some. They are given back by
// [Turns.Release].
func (t *Turns) StandIns(ctx caddy.Context, p *Policy, c *TurnConfig, r outage.Route) (err error) {
	if c == nil || len(c.StandIns) == 0 {
		return nil
	}
	if p.standIns, err = outage.Provision(ctx, c.outage(), r); err != nil {
		return err
	}
	t.standIns = append(t.standIns, p.standIns)
	return nil
}

// askStandIns returns the answer of the stand-ins to a turn, nil if they have none.
func (t *turning) askStandIns(ctx context.Context, err error) *turn.Answer {
	failed, ok := errors.AsType[*relay.Failed](err)
	if !ok || t.visit == nil || ctx.Err() != nil {
		return nil
	}
	if !t.visit.Own() && !t.visit.Failed(failed) {
		return nil
	}
	return t.visit.Turn(ctx, failed.Trail)
}

// canStandIn reports whether stand-ins may answer if nobody else does.
func (t *turning) canStandIn() bool { return t.visit != nil && t.visit.CanAnswer() }

// fromStandIns returns the answer of the stand-ins to a request that is no turn.
func (t *turning) fromStandIns(r *http.Request, failed *relay.Failed) (*Answer, error) {
	body := t.visit.JSON(r.Context())
	if body == nil {
		return nil, &RefusedError{Problem: outage.Waits(failed.RetryIn), Err: failed}
	}
	resp := response(r, "application/json", io.NopCloser(bytes.NewReader(body))) //nolint:bodyclose // reverse_proxy does
	resp.Header.Set("Cache-Control", "no-store")
	resp.ContentLength = int64(len(body))
	return &Answer{Response: resp, StandIns: &outage.Answered{Trail: failed.Trail}}, nil
}

// response returns a response of ours.
func response(r *http.Request, contentType string, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: body, ContentLength: -1, Request: r,
	}
}
