package relay_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/bulkhead"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// A ramp refuses only who gets an answer elsewhere.
func TestRamp(t *testing.T) {
	type row struct {
		policy  relay.Failover
		insist  bool
		setUp   func(r *rig)
		by      string // "" for nobody
		reasons []session.Reason
		asked   []int
	}
	ramping := func(r *rig, name string, sends ...send) { r.add(name, sends...).refuses(session.Ramp) }
	chaintest.Each(t, map[string]row{
		"the next one takes it": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", answers(200))
		}, "b", []session.Reason{session.Ramp}, []int{0, 1}},
		"alone": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", answers(200))
		}, "a", nil, []int{1}},
		"it does not move": {relay.Off, false, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", answers(200))
		}, "a", nil, []int{1, 0}},
		"it has issued the session": {relay.Safe, true, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", answers(200))
		}, "a", nil, []int{1, 0}},
		"the next one is open": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", answers(200)).refuses(session.Open)
		}, "a", nil, []int{1, 0}},
		"the next one cannot be reached": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", breaksOff(errDial))
		}, "a", nil, []int{1, 1}},
		"the next one has begun": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", answers(500))
		}, "b", []session.Reason{session.Ramp, session.Status5xx}, []int{0, 1}},
		"the next one fails, and any may be asked": {relay.Any, false, func(r *rig) {
			ramping(r, "a", answers(200))
			r.add("b", answers(500))
		}, "a", nil, []int{1, 1}},
		"nobody can be reached": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", breaksOff(errDial))
			r.add("b", breaksOff(errDNS))
		}, "", []session.Reason{session.Dial, session.DNS}, []int{1, 1}},
		"the next one is full": {relay.Safe, false, func(r *rig) {
			ramping(r, "a", answers(200))
			full := bulkhead.New(1)
			full.Take(session.Caller{})
			r.add("b", answers(200)).Places = full
		}, "a", nil, []int{1, 0}},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Failover = c.policy
		c.setUp(r)
		asked := make([]int, len(r.targets))
		for i := range r.targets {
			send := r.targets[i].Send
			r.targets[i].Send = func(req *http.Request) (*http.Response, error) {
				asked[i]++
				if b, err := io.ReadAll(req.Body); string(b) != "hello" {
					t.Errorf("the backend got the body %q, %v", b, err)
				}
				return send(req)
			}
		}
		req := relay.Request{Request: post(t.Context(), strings.NewReader("hello")), ID: "r1", Insist: c.insist}
		var trail []session.Reason
		got, err := r.Do(req, r.targets)
		by := ""
		if failed, ok := errors.AsType[*relay.Failed](err); ok {
			trail = reasons(failed.Trail)
		} else {
			by, trail = got.Target.Name, reasons(got.Trail)
			_ = got.Body.Close()
		}
		if by != c.by || !slices.Equal(trail, c.reasons) || !slices.Equal(asked, c.asked) {
			t.Errorf("answered by %q after %q, asked %v; want %q after %q, asked %v", by, trail, asked, c.by, c.reasons, c.asked)
		}
	})
}

// While the client's body is on its way it holds no place: how long that takes is up
// to the client. From its end to the header of the answer it does.
func TestPlaceOfAnUpload(t *testing.T) {
	for name, size := range map[string]int64{"known": 1 << 20, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			places := bulkhead.New(2)
			var during, after int
			a := r.add("a", func(req *http.Request) (*http.Response, error) {
				if _, err := io.CopyN(io.Discard, req.Body, 1<<19); err != nil {
					t.Error(err)
				}
				during = places.InFlight()
				_, _ = io.Copy(io.Discard, req.Body)
				after = places.InFlight()
				return answers(200)(req)
			})
			a.Places = places
			req := post(t.Context(), io.NopCloser(&source{left: 1 << 20}))
			req.ContentLength = size
			got := r.carried(req)
			if during != 0 || after != 1 || places.InFlight() != 0 {
				t.Errorf("%d places while the body came, %d behind it, %d with the answer", during, after, places.InFlight())
			}
			_ = got.Body.Close()
			if places.InFlight() != 0 {
				t.Errorf("%d places at the end", places.InFlight())
			}
		})
	}
}

// A body that is kept is read before there is a place to hold, and every ending frees it.
func TestPlaceOfARequest(t *testing.T) {
	for name, does := range map[string]send{
		"answer": answers(200), "failure": answers(500), "refusal": answers(403), "cut": breaksOff(io.ErrUnexpectedEOF),
		"panic": func(*http.Request) (*http.Response, error) { panic("at work") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			places := bulkhead.New(2)
			held := -1
			a := r.add("a", func(req *http.Request) (*http.Response, error) {
				held = places.InFlight()
				return does(req)
			})
			a.Places = places
			waited := -1
			body := readerFunc(func(p []byte) (int, error) {
				waited = places.InFlight()
				return copy(p, "hello"), io.EOF
			})
			req := post(t.Context(), io.NopCloser(body))
			req.ContentLength = 5
			if got, err := r.carry(req); err == nil {
				_ = got.Body.Close()
			}
			if waited != 0 || held != 1 || places.InFlight() != 0 {
				t.Errorf("%d places for the body, %d for the backend, %d at the end", waited, held, places.InFlight())
			}
		})
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A backend without a free place is skipped, and its breaker not told.
func TestSaturated(t *testing.T) {
	r := newRig(t)
	a, b := r.add("a", answers(200)), r.add("b", answers(200))
	places := bulkhead.New(1)
	places.Take(session.Caller{})
	a.Places = places
	got := r.carried(nil)
	if got.Target.Name != "b" || !slices.Equal(reasons(got.Trail), []session.Reason{session.Saturated}) {
		t.Errorf("answered by %s after %v", got.Target.Name, reasons(got.Trail))
	}
	if a.Permits != 1 || a.Effects[0] != excluded || len(a.requests) != 0 {
		t.Errorf("a: %d permits, %v, %d requests", a.Permits, a.Effects, len(a.requests))
	}
	b.asked(okay)
}
