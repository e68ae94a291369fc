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
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestFirstByte(t *testing.T) {
	type row struct {
		send   send
		reason session.Reason
		took   time.Duration
	}
	chaintest.Each(t, map[string]row{
		"at once":                             {answers(200), session.OK, 0},
		"just in time":                        {takes(firstByte-1, answers(200)), session.OK, firstByte - 1},
		"never":                               {hangs, session.Timeout, firstByte},
		"too late, by a transport that waits": {takes(firstByte+1, answers(200)), session.Timeout, firstByte + 1},
		"too late a refusal":                  {takes(firstByte+1, answers(403)), session.Timeout, firstByte + 1},
		"breaks off too late":                 {takes(firstByte+1, breaksOff(io.ErrUnexpectedEOF)), session.Timeout, firstByte + 1},
		"its own time limit":                  {breaksOff(context.DeadlineExceeded), session.Timeout, 0},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a, b := r.add("a", c.send), r.add("b", answers(200))
		start := time.Now()
		if c.reason == session.OK {
			got := r.carried(nil)
			time.Sleep(10 * firstByte) // the limit is over with the header
			if body, err := io.ReadAll(got.Body); string(body) != "answer" || err != nil || a.requests[0].Context().Err() != nil {
				t.Errorf("got %q and %v", body, err)
			}
			a.asked(okay)
			b.asked()
			return
		}
		f := r.failed(nil)
		if took := time.Since(start); took != c.took || f.Steps[0].Verdict.Reason != c.reason {
			t.Errorf("failed with %v after %s", reasons(f.Trail), took)
		}
		a.asked(failed)
		a.abandoned()
		b.asked()
	})
}

// Each target has the whole of it.
func TestFirstByteOfTheNextTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Failover = relay.Any
		a, b := r.add("a", hangs), r.add("b", takes(firstByte-1, answers(200)))
		start := time.Now()
		r.carried(nil)
		if took := time.Since(start); took != 2*firstByte-1 {
			t.Errorf("it took %s", took)
		}
		a.asked(failed)
		b.asked(okay)
	})
}

// A header that arrives at the very moment the limit is over once became an
// answer whose context was canceled. It is one or the other.
func TestFirstByteAtTheVeryLimit(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			body := &tracked{Reader: strings.NewReader("answer")}
			a := r.add("a", takes(firstByte, func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
			}))
			got, err := r.carry(nil)
			synctest.Wait()
			ended := a.requests[0].Context().Err() != nil
			if err == nil {
				if ended || got.Body == nil {
					t.Error("an answer was cut")
				}
				_ = got.Body.Close()
				a.asked(okay)
				return
			}
			f, ok := errors.AsType[*relay.Failed](err)
			if !ok || f.Steps[0].Verdict.Reason != session.Timeout || !ended || body.closed.Load() == 0 {
				t.Errorf("got %v, attempt ended: %t, answer closed %d times", err, ended, body.closed.Load())
			}
			a.asked(failed)
		})
	}
}
