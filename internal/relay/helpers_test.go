package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const (
	okay     = session.Success
	failed   = session.Failed
	excluded = session.Excluded
	refusal  = excluded // what a 4xx says to the breaker

	buffer    = 8 << 10
	prefix    = 1 << 10
	firstByte = 30 * time.Second
	idle      = time.Minute
)

// send is what a fake target does when it is asked.
type send func(r *http.Request) (*http.Response, error)

// fake is a target with its breaker.
type fake struct {
	relay.Target
	chaintest.Breaker
	sends    []send // the last one repeats
	requests []*http.Request
	bodies   []string // as far as they were read
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

// refuses makes the breaker give no permit.
func (f *fake) refuses(reason session.Reason) { f.Refusals = []session.Reason{reason} }

// asked checks how often the target was asked, and that every permit came back
// with the effects given.
func (f *fake) asked(effects ...session.Effect) {
	f.T.Helper()
	f.Asked(f.Name, len(f.requests), effects...)
}

// abandoned checks that the context of the first attempt has ended.
func (f *fake) abandoned() {
	f.T.Helper()
	if f.requests[0].Context().Err() == nil {
		f.T.Errorf("%s: the attempt goes on", f.Name)
	}
}

// rig is a relay to fakes, and the log of its observer.
type rig struct {
	relay.Relay
	chaintest.Log
	targets []relay.Target

	interrupt func()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{
		Log:   chaintest.Log{T: t},
		Relay: relay.Relay{Failover: relay.Safe, Buffer: buffer, BufferTotal: 1 << 20, FirstByte: firstByte, Idle: idle},
	}
}

func (r *rig) add(name string, sends ...send) *fake {
	f := &fake{Breaker: chaintest.Breaker{T: r.T}, sends: sends}
	f.Target = relay.Target{Target: &chain.Target{Name: name, Breaker: &f.Breaker, Observer: r.Observer(name)}, Send: f.exchange}
	r.targets = append(r.targets, f.Target)
	return f
}

// carry sends a request, which is a message where it is nil.
func (r *rig) carry(req *http.Request) (*relay.Response, error) {
	r.T.Helper()
	if req == nil {
		req = post(r.T.Context(), strings.NewReader("hello"))
	}
	a, err := r.Do(relay.Request{Request: req, ID: "r1", Interrupt: r.interrupt}, r.targets)
	if (a == nil) == (err == nil) {
		r.T.Fatalf("got %v and %v", a, err)
	}
	if log := strings.Join(r.Lines, "\n"); strings.Contains(log, "retry ") || r.FellBack != nil {
		r.T.Errorf("asked again, or for a session: %q, %q", log, r.FellBack)
	}
	return a, err
}

// carried is carry where a target takes the request. The test's end closes the answer.
func (r *rig) carried(req *http.Request) *relay.Response {
	r.T.Helper()
	a, err := r.carry(req)
	if err != nil {
		r.T.Fatal(err)
	}
	r.T.Cleanup(func() { _ = a.Body.Close() })
	return a
}

// failed is carry where none does.
func (r *rig) failed(req *http.Request) *relay.Failed {
	r.T.Helper()
	a, err := r.carry(req)
	f, ok := errors.AsType[*relay.Failed](err)
	if !ok {
		r.T.Fatalf("got %v and %v", a, err)
	}
	return f
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
