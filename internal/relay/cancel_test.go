package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// A client that leaves before the header ends the attempt at once, and says
// nothing about the target.
func TestClientLeavesBeforeTheHeader(t *testing.T) {
	type row struct {
		send   send
		reason session.Reason
		effect session.Effect
	}
	chaintest.Each(t, map[string]row{
		"while the target is waited for": {hangs, session.Canceled, excluded},
		"just before a 500":              {takes(time.Second, answers(500)), session.Status5xx, failed},
		"just before it breaks off":      {takes(time.Second, breaksOff(io.ErrUnexpectedEOF)), session.Canceled, excluded},
	}, func(t *testing.T, c row) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second-1, cancel)
		r := newRig(t)
		r.Failover = relay.Any
		a, b := r.add("a", c.send), r.add("b", answers(200))
		start := time.Now()
		f := r.failed(post(ctx, strings.NewReader("hello")))
		if took := time.Since(start); took > time.Second || took < time.Second-1 {
			t.Errorf("it took %s", took)
		}
		if f.Steps[0].Verdict.Reason != c.reason || f.Steps[len(f.Steps)-1].Verdict.Reason != session.Canceled {
			t.Errorf("failed with %v", reasons(f.Trail))
		}
		a.asked(c.effect)
		a.abandoned()
		b.asked()
	})
}

// Nobody is asked for a client that has gone.
func TestClientGoneBeforehand(t *testing.T) {
	type row struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		want session.Reason
	}
	chaintest.Each(t, map[string]row{
		"left": {context.WithCancel, session.Canceled},
		"out of somebody's time": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Unix(0, 0))
		}, session.Budget},
	}, func(t *testing.T, c row) {
		ctx, cancel := c.end(t.Context())
		cancel()
		r := newRig(t)
		r.Failover = relay.Any
		a, b := r.add("a", answers(200)), r.add("b", answers(200))
		f := r.failed(post(ctx, nil))
		if !slices.Equal(reasons(f.Trail), []session.Reason{c.want}) || f.Steps[0].Verdict.Effect != excluded {
			t.Errorf("failed with %+v", f.Trail)
		}
		a.asked()
		b.asked()
		r.Saw("skip a " + string(c.want))
	})
}

// A client that leaves within the answer takes the target's request with it at
// once, and so does one that closes the answer.
func TestClientLeavesWithinTheAnswer(t *testing.T) {
	cases := map[string]func(a *relay.Response, cancel func()){
		"leaves": func(_ *relay.Response, cancel func()) { cancel() },
		"closes": func(a *relay.Response, _ func()) { _ = a.Body.Close() },
	}
	chaintest.Each(t, cases, func(t *testing.T, end func(*relay.Response, func())) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := newRig(t)
		a := r.add("a", pauses(time.Second, 30*time.Second))
		got, err := r.carry(post(ctx, nil))
		if err != nil {
			t.Fatal(err)
		}
		a.asked(okay) // the permit comes back with the header
		time.AfterFunc(5*time.Second, func() { end(got, cancel) })
		start := time.Now()
		b, err := io.ReadAll(got.Body)
		if took := time.Since(start); string(b) != "x" || err == nil || took != 5*time.Second {
			t.Errorf("got %q and %v after %s", b, err, took)
		}
		synctest.Wait()
		a.abandoned()
		a.asked(okay)
		if cause := context.Cause(a.requests[0].Context()); !errors.Is(cause, context.Canceled) || got.Idle() {
			t.Errorf("ended by %v, idle: %t", cause, got.Idle())
		}
	})
}

// Nothing of an attempt that failed is left when the next one begins: its
// answer is closed, its context at an end, its header its own.
func TestNothingIsLeftOfAFailedAttempt(t *testing.T) {
	r := newRig(t)
	refused := &tracked{Reader: strings.NewReader("busy")}
	a := r.add("a", func(req *http.Request) (*http.Response, error) {
		req.Header.Set("Authorization", "Bearer of a")
		req.URL.Host = "a.test"
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: refused}, nil
	})
	b := r.add("b", func(req *http.Request) (*http.Response, error) {
		if n := refused.closed.Load(); n != 0 {
			t.Errorf("the only answer there is was closed %d times", n)
		}
		if req.Header.Get("Authorization") != "" || req.Header.Get("X-Test") != "1" || req.URL.Host != "client.test" {
			t.Errorf("got %s with %v", req.URL, req.Header)
		}
		return answers(200)(req)
	})
	req := post(t.Context(), nil)
	req.Header.Set("X-Test", "1")
	got := r.carried(req)
	a.abandoned()
	if n := refused.closed.Load(); n != 1 {
		t.Errorf("closed %d times", n)
	}
	a.asked(failed)
	b.asked(okay)
	if err := b.requests[0].Context().Err(); err != nil {
		t.Errorf("the answer's attempt ended with %v", err)
	}
	if len(req.Header) != 1 || req.URL.Host != "client.test" {
		t.Errorf("the client's request became %s with %v", req.URL, req.Header)
	}
	_ = got.Body.Close()
	b.abandoned()
}

// brokenError is an error that panics when it is looked at.
type brokenError struct{}

func (brokenError) Error() string { return "broken" }
func (brokenError) Unwrap() error { panic("broken") }

// An answer that came before the panic is closed.
func TestPanicAfterAnAnswer(t *testing.T) {
	r := newRig(t)
	body := &tracked{Reader: strings.NewReader("answer")}
	a := r.add("a", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: body}, brokenError{}
	})
	_ = r.failed(nil)
	a.asked(failed)
	if n := body.closed.Load(); n != 1 {
		t.Errorf("closed %d times", n)
	}
}
