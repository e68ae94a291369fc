package relay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The permit comes back with the header of the answer, and once: not when the
// answer ends, however it does.
func TestPermitComesBackAtTheCommitPoint(t *testing.T) {
	cases := []struct {
		name string
		send send
		end  func(a *relay.Response, cancel func())
	}{
		{"read to its end", answers(200), func(a *relay.Response, _ func()) { _, _ = io.Copy(io.Discard, a.Body) }},
		{"closed at once", answers(200), func(*relay.Response, func()) {}},
		{"closed twice", answers(200), func(a *relay.Response, _ func()) { _ = a.Body.Close() }},
		{"client leaves", pauses(time.Second), func(a *relay.Response, cancel func()) { cancel(); _, _ = io.Copy(io.Discard, a.Body) }},
		{"idle", pauses(2 * idle), func(a *relay.Response, _ func()) { _, _ = io.Copy(io.Discard, a.Body) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r := newRig(t)
				a := r.add("a", c.send)
				got, err := r.carry(post(ctx, nil))
				if err != nil {
					t.Fatal(err)
				}
				a.asked(okay)
				c.end(got, cancel)
				_ = got.Body.Close()
				a.asked(okay)
			})
		})
	}
}

const planted = "sk-planted-marker"

// brokenError is an error that panics when it is looked at.
type brokenError struct{}

func (brokenError) Error() string { return planted }
func (brokenError) Unwrap() error { panic(planted) }

// A transport that panics costs the attempt and no more: the permit comes back
// once, the next target is asked, nothing is given away.
func TestCarryOutlivesAPanic(t *testing.T) {
	var none map[string]int
	var nobody *session.Failure
	throws := func(v any) send { return func(*http.Request) (*http.Response, error) { panic(v) } }
	cases := map[string]send{
		"text":             throws(planted),
		"error":            throws(errors.New(planted)),
		"aborted handler":  throws(http.ErrAbortHandler),
		"nil":              throws(nil),
		"runtime error":    func(*http.Request) (*http.Response, error) { none[planted] = 1; return nil, nil },
		"nil failure":      breaksOff(nobody),
		"wrapped nil":      breaksOff(fmt.Errorf("asking: %w", error(nobody))),
		"error that is no": breaksOff(brokenError{}),
		"nothing at all":   breaksOff(nil),
	}
	for name, send := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.Failover = relay.Any
				a := r.add("a", send)
				var told error
				b := r.add("b", func(req *http.Request) (*http.Response, error) { told = r.err; return answers(200)(req) })
				if got := r.carried(nil); got.Target != b.Target.Target {
					t.Errorf("%s answered", got.Target.Name)
				}
				a.asked(failed)
				a.abandoned()
				b.asked(okay)
				r.saw("attempt a misconfigured", "attempt b ")
				if told == nil || strings.Contains(fmt.Sprintf("%v %+v", told, told), planted) {
					t.Errorf("the observer was told %v", told)
				}
			})
		})
	}
}

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

// A panic after the client has gone is the client's leaving.
func TestPanicAfterTheClientLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newRig(t)
	a := r.add("a", func(*http.Request) (*http.Response, error) { cancel(); panic("gone") })
	_ = r.failed(post(ctx, nil))
	a.asked(excluded)
	r.saw("attempt a canceled")
}

// With the real breaker half open: a probe that ends in any way frees it for the
// next one.
func TestProbesOfABreaker(t *testing.T) {
	for _, o := range outcomes {
		t.Run(o.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				set := breaker.Defaults()
				set.Consecutive = 1
				own := breaker.New(set, nil, nil)
				r.add("a", answers(500), o.send, answers(200)).Breaker = own
				_ = r.failed(nil)
				_ = r.failed(nil)
				r.saw("attempt a status_5xx", "skip a open")
				time.Sleep(own.RetryIn() + 1)
				if got, err := r.carry(nil); err == nil {
					_ = got.Body.Close()
				}
				time.Sleep(max(own.RetryIn(), 2*time.Minute) + 1)
				r.carried(nil)
				if own.State() != breaker.Closed {
					t.Errorf("the breaker is %s", own.State())
				}
			})
		})
	}
}
