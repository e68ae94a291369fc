package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// alive is a context nothing has happened to.
func alive(ctx context.Context) context.Context { return ctx }

func gone(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func late(ctx context.Context) context.Context {
	ctx, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
	cancel()
	return ctx
}

func TestClassifyEndedContext(t *testing.T) {
	cut := errors.New("round trip broke off")
	canceled := session.Verdict{Reason: session.Canceled, Effect: session.Excluded}
	cases := []struct {
		name             string
		request, attempt func(context.Context) context.Context
		err              error
		want             session.Verdict
	}{
		{"client gone", gone, alive, cut, canceled},
		{"client gone, told by the context's error", gone, alive, context.Canceled, canceled},
		{"client gone after the attempt timed out", gone, late, cut, canceled},
		{"client gone during an invalid answer", gone, alive, session.Invalid("no"), canceled},
		{"client gone after a session", gone, alive, nil, session.Verdict{Effect: session.Success}},
		{"attempt timed out", alive, late, cut, failed(session.Timeout, 0)},
		{"attempt timed out, told by the context's error", alive, late, context.DeadlineExceeded, failed(session.Timeout, 0)},
		{"request out of time", late, late, cut, failed(session.Timeout, 0)},
		{"attempt timed out while dialing", alive, late, &session.Failure{Reason: session.Dial}, failed(session.Timeout, 0)},
		{"attempt timed out within the answer", alive, late, &session.Failure{Answered: true}, failed(session.Timeout, 0)},
		{"session just in time", alive, late, nil, session.Verdict{Effect: session.Success}},
		{"status just before the client left", gone, alive, status(500), failed(session.Status5xx, 500)},
		{"status just before the time limit", alive, late, status(429), failed(session.Status429, 429)},
		{"refusal just before the client left", gone, alive, status(422), refusedCaller(422)},
		{"transport's own timeout", alive, alive, context.DeadlineExceeded, failed(session.Timeout, 0)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := c.request(t.Context())
			got := session.Classify(ctx, c.attempt(ctx), c.err, nil)
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}
