package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Where no breaker lets the request through, nothing is taken from the client but
// the beginning that has to be known.
func TestBodyForOpenBreakers(t *testing.T) {
	type row struct {
		size, prefix, taken int
		whole               bool
	}
	chaintest.Each(t, map[string]row{
		"nothing to know": {6 << 10, 0, 0, false},
		"all":             {6 << 10, prefix, 6 << 10, true},
		"short":           {100, prefix, 100, true},
		"large":           {1 << 20, prefix, prefix, false},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a, b := r.add("a", answers(200)), r.add("b", answers(200))
		a.refuses(session.Open)
		b.refuses(session.Cooldown)
		body := &source{left: c.size}
		req := post(t.Context(), io.NopCloser(body))
		req.ContentLength = int64(c.size)
		d := r.Open(relay.Request{Request: req, ID: "r1"}, r.targets)
		defer d.Close()
		if c.prefix > 0 {
			kept, whole, err := d.Keep(c.prefix)
			if err != nil || string(kept) != text(c.taken) || whole != c.whole {
				t.Errorf("got %d bytes, all of it: %t, %v", len(kept), whole, err)
			}
		}
		_, err := d.Next(t.Context())
		if _, ok := errors.AsType[*relay.Failed](err); !ok || body.taken != c.taken {
			t.Errorf("got %v, %d bytes were taken", err, body.taken)
		}
		a.asked()
		b.asked()
		r.Saw("skip a open", "skip b cooldown")
	})
}

// observed is a body that tells of its reads.
type observed struct {
	io.Reader
	read func()
}

func (o observed) Read(p []byte) (int, error) {
	o.read()
	return o.Reader.Read(p)
}

// A probe is a request whose body is completely there. One whose body is not kept
// does not wait: it is skipped, and goes to the next target.
func TestBodyOfAProbe(t *testing.T) {
	type row struct {
		req    func(context.Context) *http.Request
		total  int64
		served string
	}
	const enough = 1 << 20
	chaintest.Each(t, map[string]row{
		"none":             {known(0), enough, "a"},
		"small":            {known(100), enough, "a"},
		"the buffer":       {known(buffer), enough, "a"},
		"chunked":          {unknown(buffer), enough, "a"},
		"too long":         {known(buffer + 1), enough, "b"},
		"too long, chunks": {unknown(buffer + 1), enough, "b"},
		"no memory":        {known(buffer), buffer - 1, "b"},
		"no memory at all": {known(1), 0, "b"},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.BufferTotal = c.total
		a, b := r.add("a"), r.add("b")
		a.Probing = true
		a.sends, b.sends = []send{a.keeps(answers(200))}, []send{b.keeps(answers(200))}
		req := c.req(t.Context())
		want := req.ContentLength
		read := 0
		req.Body = io.NopCloser(observed{req.Body, func() {
			read++
			if a.Permits > 0 {
				t.Error("the body was read with a permit of the half-open breaker")
			}
		}})
		got := r.carried(req)
		served := map[string]*fake{"a": a, "b": b}[c.served]
		if got.Target.Name != c.served || want >= 0 && len(served.bodies[0]) != int(want) || relay.Buffered() != 0 {
			t.Errorf("%s got %d bytes of %d, %d are buffered", got.Target.Name, len(served.bodies[0]), want, relay.Buffered())
		}
		if c.served == "b" {
			a.asked()
			r.Saw("skip a open", "attempt b ")
		}
	})
}

// With one target only, a body is kept for its probe, else it is not.
func TestBodyForTheOnlyTarget(t *testing.T) {
	for probing, taken := range map[bool]int{false: 0, true: 6 << 10} {
		r := newRig(t)
		body := &source{left: 6 << 10}
		before := -1
		r.add("a", func(req *http.Request) (*http.Response, error) {
			before = body.taken
			return answers(200)(req)
		}).Probing = probing
		req := post(t.Context(), io.NopCloser(body))
		req.ContentLength = 6 << 10
		r.carried(req)
		if before != taken {
			t.Errorf("probe %t: %d bytes were taken before it was sent, want %d", probing, before, taken)
		}
	}
}

// stalling is a body that comes to a halt until it is interrupted.
type stalling struct {
	first io.Reader
	halt  chan struct{}
}

func (s *stalling) Read(p []byte) (int, error) {
	if n, err := s.first.Read(p); err == nil {
		return n, nil
	}
	<-s.halt
	return 0, errors.New("i/o timeout")
}

// A body that is kept has to be there in time, and nobody gets a permit for one
// that is not. Its memory is given back.
func TestKeptBodyStalls(t *testing.T) {
	for name, size := range map[string]int{"at once": 0, "within": 5 << 10} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				a, b := r.add("a", answers(200)), r.add("b", answers(200))
				body := &stalling{first: &source{left: size}, halt: make(chan struct{})}
				r.interrupt = func() { close(body.halt) }
				req := post(t.Context(), io.NopCloser(body))
				req.ContentLength = buffer
				start := time.Now()
				_, err := r.carry(req)
				if took := time.Since(start); took != firstByte || !errors.Is(err, relay.ErrStalled) {
					t.Errorf("got %v after %s", err, took)
				}
				a.asked()
				b.asked()
				r.Saw()
				if n := relay.Buffered(); n != 0 {
					t.Errorf("%d bytes are buffered", n)
				}
			})
		})
	}
}

// All requests together keep no more than they may: bodies beyond that are sent
// once, whole.
func TestBufferTotal(t *testing.T) {
	const total, size, n = 64 << 10, 20 << 10, 40
	var most, whole, cut atomic.Int64
	var gate sync.WaitGroup
	gate.Add(n)
	target := func(req *http.Request) (*http.Response, error) {
		gate.Done()
		gate.Wait() // until all are kept that are
		for used := relay.Buffered(); ; {
			old := most.Load()
			if used <= old || most.CompareAndSwap(old, used) {
				break
			}
		}
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if string(b) != text(size) {
			cut.Add(1)
		}
		if req.GetBody != nil {
			whole.Add(1)
		}
		return answer(200, http.NoBody), nil
	}
	r := relay.Relay{Failover: relay.Any, Buffer: size, BufferTotal: total, FirstByte: firstByte, Idle: idle}
	free := func(name string) relay.Target {
		return relay.Target{Target: &chain.Target{Name: name, Breaker: open{}, Observer: chaintest.Silent{}}, Send: target}
	}
	targets := []relay.Target{free("a"), free("b")}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			got, err := r.Do(relay.Request{Request: known(size)(t.Context())}, targets)
			if err != nil {
				t.Error(err)
				return
			}
			_ = got.Body.Close()
		})
	}
	wg.Wait()
	if m, k := most.Load(), whole.Load(); m == 0 || m > total || k == 0 || k > total/size || cut.Load() > 0 || relay.Buffered() != 0 {
		t.Errorf("%d bytes at most, %d bodies kept, %d cut, %d bytes left", m, k, cut.Load(), relay.Buffered())
	}
}

// open is a breaker that lets everything through.
type open struct {
	asked func(session.Caller, time.Duration)
}

func (o open) Allow(who session.Caller, life time.Duration) (func(session.Verdict, time.Duration), session.Reason) {
	if o.asked != nil {
		o.asked(who, life)
	}
	return func(session.Verdict, time.Duration) {}, session.OK
}

func (open) Saw(session.Caller) {}

func (open) Peek(session.Caller) (session.Reason, bool) { return session.OK, false }
func (open) RetryIn() time.Duration                     { return 0 }
func (o open) Insist(who session.Caller, life time.Duration) (func(session.Verdict, time.Duration), session.Reason) {
	return o.Allow(who, life)
}
func (open) Closed() bool { return true }

// The breaker learns who asks, and takes a permit back that is out for too long.
func TestPermitOfACaller(t *testing.T) {
	r := newRig(t)
	want := session.Caller{User: "u", Address: "n"}
	calls := 0
	f := r.add("a", answers(200))
	f.Target.Breaker = open{func(who session.Caller, life time.Duration) {
		calls++
		if who != want || life != 2*firstByte {
			t.Errorf("asked for %v, for %s", who, life)
		}
	}}
	got, err := r.Do(relay.Request{Request: post(t.Context(), nil), ID: "r1", Caller: want}, r.targets)
	if err != nil || calls != 1 {
		t.Fatalf("got %v after %d permits", err, calls)
	}
	_ = got.Body.Close()
}

// A backend that does not want a large body answers before it has read it, and
// hangs up: the client's request was too much for it, and nothing else is wrong.
func TestBackendHangsUpWithinTheBody(t *testing.T) {
	const size = 20 << 20
	backend := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = rw.WriteString("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_ = rw.Flush()
		_ = conn.Close()
	})
	for name, kept := range map[string]bool{"sent on": false, "kept": true} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				r := newRig(t)
				r.BufferTotal = 1 << 30
				if kept {
					r.Buffer = size
				}
				f := r.add("a", backend.send)
				r.add("b").refuses(session.Open)
				got, err := r.carry(known(size)(t.Context()))
				switch failed, _ := errors.AsType[*relay.Failed](err); {
				case err == nil && got.StatusCode == http.StatusRequestEntityTooLarge:
					_ = got.Body.Close()
				case failed == nil || failed.Steps[0].Verdict.Reason != session.Reset:
					t.Fatalf("got %v and %v", got, err)
				}
				if len(f.Effects) != 1 || f.Effects[0] == session.Failed {
					t.Fatalf("the permit came back with %v", f.Effects)
				}
			}
		})
	}
}
