package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const (
	okay     = session.Success
	failed   = session.Failed
	excluded = session.Excluded

	buffer    = 2 << 10
	firstByte = 30 * time.Second
	idle      = time.Minute
)

// send is what a fake target does when it is asked.
type send func(r *http.Request) (*http.Response, error)

// fake is a target with its breaker.
type fake struct {
	relay.Target
	t        *testing.T
	sends    []send // the last one repeats
	requests []*http.Request
	bodies   []string // as far as they were read

	// As a breaker.
	refusal   session.Reason
	retryIn   time.Duration
	permits   int
	effects   []session.Effect // of the permits given back, in order
	cooldowns []time.Duration
}

func (f *fake) exchange(r *http.Request) (*http.Response, error) {
	f.requests = append(f.requests, r)
	f.bodies = append(f.bodies, "")
	resp, err := f.sends[min(len(f.requests), len(f.sends))-1](r)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (f *fake) Allow() (func(session.Verdict, time.Duration), session.Reason) {
	if f.refusal != session.OK {
		return nil, f.refusal
	}
	f.permits++
	returned := false
	return func(v session.Verdict, _ time.Duration) {
		if returned {
			f.t.Errorf("%s: a permit came back twice", f.Name)
		}
		returned = true
		f.effects = append(f.effects, v.Effect)
		if v.Cooldown > 0 {
			f.cooldowns = append(f.cooldowns, v.Cooldown)
		}
	}, session.OK
}

func (f *fake) RetryIn() time.Duration { return f.retryIn }
func (f *fake) Closed() bool           { return true }

// asked checks how often the target was asked, and that every permit came back
// with the effects given.
func (f *fake) asked(effects ...session.Effect) {
	f.t.Helper()
	if f.permits != len(effects) || len(f.requests) != len(effects) || !slices.Equal(f.effects, effects) {
		f.t.Errorf("%s: %d permits, %d attempts, given back with %v; want %v",
			f.Name, f.permits, len(f.requests), f.effects, effects)
	}
}

// abandoned checks that the context of the first attempt has ended.
func (f *fake) abandoned() {
	f.t.Helper()
	if f.requests[0].Context().Err() == nil {
		f.t.Errorf("%s: the attempt goes on", f.Name)
	}
}

// rig is a relay to fakes, and the log of its observer.
type rig struct {
	relay.Relay
	targets []relay.Target
	t       *testing.T
	log     []string
	err     error // of the last attempt
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{t: t, Relay: relay.Relay{Failover: relay.Safe, Buffer: buffer, FirstByte: firstByte, Idle: idle}}
}

func (r *rig) add(name string, sends ...send) *fake {
	f := &fake{t: r.t, sends: sends}
	f.Target = relay.Target{Target: &chain.Target{Name: name, Breaker: f, Observer: watch{r, name}}, Send: f.exchange}
	r.targets = append(r.targets, f.Target)
	return f
}

// carry sends a request, which is a message where it is nil.
func (r *rig) carry(req *http.Request) (*relay.Response, error) {
	r.t.Helper()
	if req == nil {
		req = post(r.t.Context(), strings.NewReader("hello"))
	}
	a, err := r.Do(req, "r1", r.targets)
	if (a == nil) == (err == nil) {
		r.t.Fatalf("got %v and %v", a, err)
	}
	return a, err
}

// carried is carry where a target takes the request. The test's end closes the answer.
func (r *rig) carried(req *http.Request) *relay.Response {
	r.t.Helper()
	a, err := r.carry(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = a.Body.Close() })
	return a
}

// failed is carry where none does.
func (r *rig) failed(req *http.Request) *relay.Failed {
	r.t.Helper()
	a, err := r.carry(req)
	f, ok := errors.AsType[*relay.Failed](err)
	if !ok {
		r.t.Fatalf("got %v and %v", a, err)
	}
	return f
}

// watch is the observer of a target.
type watch struct {
	*rig
	name string
}

func (w watch) Attempted(id string, v session.Verdict, _ time.Duration, err error) {
	if (err == nil) != (v.Reason == session.OK) || id != "r1" {
		w.t.Errorf("%s: reason %q with error %v for request %q", w.name, v.Reason, err, id)
	}
	w.err = err
	w.log = append(w.log, "attempt "+w.name+" "+string(v.Reason))
}

func (w watch) Skipped(reason session.Reason) {
	w.log = append(w.log, "skip "+w.name+" "+string(reason))
}

func (w watch) Retrying() { w.t.Errorf("%s is asked again", w.name) }

func (w watch) FellBack(string, string, session.Reason) {
	w.t.Errorf("%s: no session was asked for", w.name)
}

func (r *rig) saw(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, want) {
		r.t.Errorf("the observer saw %q, want %q", r.log, want)
	}
}

// post is a message.
func post(ctx context.Context, body io.Reader) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://client.test/api/chat", body)
	if err != nil {
		panic(err)
	}
	return r
}

// reasons are those of a trail.
func reasons(trail chain.Trail) []session.Reason {
	list := make([]session.Reason, 0, len(trail.Steps))
	for _, s := range trail.Steps {
		list = append(list, s.Verdict.Reason)
	}
	return list
}
