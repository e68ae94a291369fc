package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

func TestIdle(t *testing.T) {
	const nearly = idle - 1
	type row struct {
		pauses []time.Duration
		want   string
		idle   bool
	}
	chaintest.Each(t, map[string]row{
		"no pause":                 {nil, "", false},
		"short of it":              {[]time.Duration{nearly}, "x", false},
		"each byte starts it anew": {[]time.Duration{nearly, nearly, nearly, nearly}, "xxxx", false},
		"before the first byte":    {[]time.Duration{idle + 1}, "", true},
		"after some":               {[]time.Duration{0, nearly, idle + 1, 0}, "xx", true},
		"for ever":                 {[]time.Duration{0, 1 << 60}, "x", true},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a := r.add("a", pauses(c.pauses...))
		got := r.carried(nil)
		a.asked(okay) // the permit comes back with the header
		body, err := io.ReadAll(got.Body)
		if string(body) != c.want || errors.Is(err, relay.ErrIdle) != c.idle || (err != nil) != c.idle || got.Idle() != c.idle {
			t.Errorf("got %q and %v, idle: %t", body, err, got.Idle())
		}
		if ctx := a.requests[0].Context(); errors.Is(context.Cause(ctx), relay.ErrIdle) != c.idle {
			t.Errorf("the attempt ended by %v", context.Cause(ctx))
		}
		if _, err := got.Body.Read(make([]byte, 1)); errors.Is(err, relay.ErrIdle) != c.idle {
			t.Errorf("then %v", err)
		}
		a.asked(okay)
	})
}

// What a client takes to read is no pause of the answer.
func TestIdleOfASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.add("a", pauses(time.Second, time.Second, time.Second))
		got := r.carried(nil)
		for range 3 {
			time.Sleep(2 * idle)
			if n, err := got.Body.Read(make([]byte, 10)); n != 1 || err != nil {
				t.Fatalf("got %d bytes and %v", n, err)
			}
		}
		time.Sleep(2 * idle)
		if _, err := got.Body.Read(make([]byte, 10)); err != io.EOF || got.Idle() {
			t.Errorf("ended with %v, idle: %t", err, got.Idle())
		}
	})
}

// A read that ends at the very moment the limit is over has its bytes, and what
// comes next is the answer or its end by idleness, never another error.
func TestIdleAtTheVeryLimit(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			a := r.add("a", pauses(idle, time.Second, time.Second))
			got := r.carried(nil)
			body, err := io.ReadAll(got.Body)
			ended := a.requests[0].Context().Err() != nil
			if whole := string(body) == "xxx" && err == nil && !got.Idle() && !ended; whole {
				return
			}
			if !errors.Is(err, relay.ErrIdle) || !got.Idle() || !ended {
				t.Errorf("got %q and %v, idle: %t, ended: %t", body, err, got.Idle(), ended)
			}
		})
	}
}

// After Close there is nothing left to expire, wherever a read was.
func TestCloseStopsTheIdleTimer(t *testing.T) {
	cases := map[string]time.Duration{
		"before a read":     -1,
		"within a read":     time.Second,
		"at the very limit": idle,
	}
	for name, after := range cases {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				synctest.Test(t, func(t *testing.T) { closeAfter(t, after) })
			}
		})
	}
}

func closeAfter(t *testing.T, after time.Duration) {
	t.Helper()
	r := newRig(t)
	a := r.add("a", pauses(time.Hour))
	got, err := r.carry(nil)
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	if after < 0 {
		_ = got.Body.Close()
	} else {
		time.AfterFunc(after, func() { _ = got.Body.Close() })
	}
	go func() {
		_, err := got.Body.Read(make([]byte, 1))
		end <- err
	}()
	err = <-end
	time.Sleep(2 * idle)
	if got.Idle() != errors.Is(err, relay.ErrIdle) || got.Idle() && after < idle || err == nil {
		t.Errorf("ended with %v, idle: %t", err, got.Idle())
	}
	if cause := context.Cause(a.requests[0].Context()); !errors.Is(cause, context.Canceled) && after < idle {
		t.Errorf("the attempt ended by %v", cause)
	}
}

// A transport that gives an answer without a body gives one without bytes, which
// does not end as a connection does.
func TestAnswerWithoutABody(t *testing.T) {
	for status, body := range map[int]io.ReadCloser{200: nil, 503: nil, 101: http.NoBody} {
		r := newRig(t)
		r.add("a", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: body}, nil
		})
		r.add("b", answers(200))
		got := r.carried(nil)
		if b, err := io.ReadAll(got.Body); err != nil || strings.Trim(string(b), "answer") != "" || got.SocketEnd() != 0 {
			t.Errorf("%d: got %q and %v, ended as %d", status, b, err, got.SocketEnd())
		}
	}
}
