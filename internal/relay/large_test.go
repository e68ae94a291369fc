package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// No more of a body is taken from the client before it is sent than may be kept.
func TestLargeBodyIsNotHeld(t *testing.T) {
	const size = 8 << 20
	type row struct {
		length int64
		limit  int64
		most   int
	}
	chaintest.Each(t, map[string]row{
		"known":              {size, buffer, 0},
		"chunked":            {-1, buffer, buffer + 1},
		"known, no buffer":   {size, 0, 0},
		"chunked, no buffer": {-1, 0, 1},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Buffer = c.limit
		body := &source{left: size}
		before := 0
		a := r.add("a", func(req *http.Request) (*http.Response, error) {
			before = body.taken
			return answers(200)(req)
		})
		r.add("b", answers(200))
		req := post(t.Context(), io.NopCloser(body))
		req.ContentLength = c.length
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		r.carried(req)
		runtime.ReadMemStats(&end)
		a.asked(okay)
		r.targets[1].Breaker.(*chaintest.Breaker).Asked("b", 0)
		if before != c.most || body.taken != size {
			t.Errorf("%d bytes were taken before it was sent, want %d, and %d after it", before, c.most, body.taken)
		}
		if n := end.TotalAlloc - start.TotalAlloc; n > size/8 {
			t.Errorf("it took %d bytes of memory", n)
		}
	})
}

// slow is a client's body that pauses before each of its parts.
type slow struct {
	pauses []time.Duration
	part   int
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.pauses) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pauses[0])
	s.pauses = s.pauses[1:]
	return copy(p, text(s.part)), nil
}

// reads sends the body on as a transport does: it gives up with its context,
// whatever the body is at.
func reads(then send) send {
	return func(r *http.Request) (*http.Response, error) {
		end := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, r.Body)
			end <- err
		}()
		select {
		case err := <-end:
			if err != nil {
				return nil, err
			}
			return then(r)
		case <-r.Context().Done():
			return nil, context.Cause(r.Context())
		}
	}
}

// A client on a slow line once counted against the backend: some of them, and
// its breaker was open for everybody.
func TestLargeBodyOfASlowClient(t *testing.T) {
	const part = 25 * time.Second
	type row struct {
		pauses []time.Duration
		then   send
		reason session.Reason
		effect session.Effect
		took   time.Duration
	}
	chaintest.Each(t, map[string]row{
		"slow and complete":        {[]time.Duration{part, part, part}, answers(200), session.OK, okay, 3 * part},
		"slow, then a late header": {[]time.Duration{part, part}, takes(part, answers(200)), session.OK, okay, 3 * part},
		"slow, then no header":     {[]time.Duration{part, part}, hangs, session.Timeout, failed, 2*part + firstByte},
		"slow, then 500":           {[]time.Duration{part, part}, answers(500), session.Status5xx, failed, 2 * part},
		"stalls":                   {[]time.Duration{part, time.Hour}, answers(200), session.Canceled, excluded, part + firstByte},
		"stalls at once":           {[]time.Duration{time.Hour}, answers(200), session.Canceled, excluded, firstByte},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		a := r.add("a", reads(c.then))
		req := post(t.Context(), &slow{pauses: c.pauses, part: buffer})
		req.ContentLength = 1 << 20
		start := time.Now()
		got, err := r.carry(req)
		if took := time.Since(start); took != c.took {
			t.Errorf("it took %s, want %s", took, c.took)
		}
		if _, ok := errors.AsType[*relay.Failed](err); ok != (c.reason == session.Timeout) || errors.Is(err, relay.ErrStalled) != (c.effect == excluded) {
			t.Errorf("got %v", err)
		}
		if err == nil {
			_ = got.Body.Close()
		}
		a.asked(c.effect)
		r.Saw("attempt a " + string(c.reason))
		time.Sleep(time.Hour) // the client's last read is over
	})
}

// An answer may come before the body has been sent. What the client goes on to
// send, or does not, is no affair of the clock then.
func TestLargeBodyAnsweredEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var sent error
		end := make(chan struct{})
		a := r.add("a", func(req *http.Request) (*http.Response, error) {
			go func() {
				_, sent = io.Copy(io.Discard, req.Body)
				close(end)
			}()
			return pauses(time.Second, 50*time.Second)(req)
		})
		req := post(t.Context(), &slow{pauses: []time.Duration{20 * time.Second, 20 * time.Second, time.Hour}, part: buffer})
		req.ContentLength = 1 << 20
		got := r.carried(req)
		if b, err := io.ReadAll(got.Body); len(b) != 2 || err != nil {
			t.Errorf("got %q and %v", b, err)
		}
		<-end
		if sent != nil || a.requests[0].Context().Err() != nil {
			t.Errorf("the body ended with %v, the attempt with %v", sent, a.requests[0].Context().Err())
		}
		a.asked(okay)
	})
}
