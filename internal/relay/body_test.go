package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// unknown is a body without a length, as it comes in chunks.
func unknown(n int) func(ctx context.Context) *http.Request {
	return func(ctx context.Context) *http.Request {
		r := post(ctx, io.NopCloser(&source{left: n}))
		r.TransferEncoding = []string{"chunked"}
		r.ContentLength = -1
		return r
	}
}

// known is a body of the length it says.
func known(n int) func(ctx context.Context) *http.Request {
	return func(ctx context.Context) *http.Request {
		r := post(ctx, io.NopCloser(&source{left: n}))
		r.ContentLength = int64(n)
		return r
	}
}

var payloads = []struct {
	name   string
	req    func(ctx context.Context) *http.Request
	text   string
	length int64
	again  bool // it can go to a second target
}{
	{"nil", func(ctx context.Context) *http.Request { return post(ctx, nil) }, "", 0, true},
	{"none", func(ctx context.Context) *http.Request { return post(ctx, http.NoBody) }, "", 0, true},
	{"empty", known(0), "", 0, true},
	{"empty, chunked", unknown(0), "", 0, true},
	{"one byte", known(1), text(1), 1, true},
	{"one byte, chunked", unknown(1), text(1), 1, true},
	{"1 KiB", known(1 << 10), text(1 << 10), 1 << 10, true},
	{"1 KiB, chunked", unknown(1 << 10), text(1 << 10), 1 << 10, true},
	{"the buffer", known(buffer), text(buffer), buffer, true},
	{"the buffer, chunked", unknown(buffer), text(buffer), buffer, true},
	{"one byte over", known(buffer + 1), text(buffer + 1), buffer + 1, false},
	{"one byte over, chunked", unknown(buffer + 1), text(buffer + 1), -1, false},
	{"1 MiB", known(1 << 20), text(1 << 20), 1 << 20, false},
	{"1 MiB, chunked", unknown(1 << 20), text(1 << 20), -1, false},
}

// What a target gets of the body, and the next one after it.
func TestBody(t *testing.T) {
	for _, c := range payloads {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				a, b := r.add("a"), r.add("b")
				a.sends, b.sends = []send{a.keeps(answers(503))}, []send{b.keeps(answers(200))}
				if c.again {
					r.carried(c.req(t.Context()))
					b.asked(okay)
				} else {
					_ = r.failed(c.req(t.Context()))
					b.asked()
				}
				a.asked(failed)
				for _, f := range []*fake{a, b} {
					for i, req := range f.requests {
						if f.bodies[i] != c.text || req.ContentLength != c.length {
							t.Errorf("%s got %d bytes, said to be %d", f.Name, len(f.bodies[i]), req.ContentLength)
						}
						checkFraming(t, req)
					}
				}
			})
		})
	}
}

// checkFraming checks that net/http can make something of a body: an empty one
// is none, and one that is kept can be had once more.
func checkFraming(t *testing.T, req *http.Request) {
	t.Helper()
	kept := req.ContentLength > 0 && req.ContentLength <= buffer
	if (req.Body == http.NoBody) != (req.ContentLength == 0) || (req.GetBody != nil) != kept {
		t.Errorf("body %T of %d bytes, can be had again: %t", req.Body, req.ContentLength, req.GetBody != nil)
	}
	if req.ContentLength >= 0 && req.ContentLength <= buffer && req.TransferEncoding != nil {
		t.Errorf("%d bytes with transfer encoding %q", req.ContentLength, req.TransferEncoding)
	}
	if req.GetBody == nil {
		return
	}
	again, err := req.GetBody()
	if b, _ := io.ReadAll(again); err != nil || string(b) != text(int(req.ContentLength)) {
		t.Errorf("got %d bytes and %v again", len(b), err)
	}
}

// A body that is not kept has not been sent where a target was skipped.
func TestLargeBodySkipsAnOpenBreaker(t *testing.T) {
	for _, c := range payloads {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			a, b, d := r.add("a", answers(200)), r.add("b", answers(200)), r.add("d")
			a.refusal, b.refusal = session.Open, session.Cooldown
			d.sends = []send{d.keeps(answers(200))}
			if got := r.carried(c.req(t.Context())); got.Target != d.Target.Target {
				t.Errorf("%s answered", got.Target.Name)
			}
			a.asked()
			b.asked()
			d.asked(okay)
			if d.bodies[0] != c.text {
				t.Errorf("got %d bytes", len(d.bodies[0]))
			}
		})
	}
}

// A body that is not kept is sent once, whatever becomes of it.
func TestLargeBodyIsSentOnce(t *testing.T) {
	for _, o := range outcomes {
		t.Run(o.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.Failover = relay.Any
				a, b := r.add("a", o.send), r.add("b", answers(200))
				got, err := r.carry(known(buffer + 1)(t.Context()))
				if (err == nil) != (o.reason == session.OK) {
					t.Errorf("got %v", err)
				}
				if err == nil {
					_ = got.Body.Close()
				}
				a.asked(o.effect)
				b.asked()
			})
		})
	}
}

// A client that leaves within its body is no failure of any target, and costs
// none of them a permit where the body is read beforehand.
func TestBodyThatCannotBeRead(t *testing.T) {
	errLeft := errors.New("connection cut by the client")
	cases := []struct {
		name    string
		taken   int // before it fails
		length  int64
		effects []session.Effect // of the first target
	}{
		{"at once", 0, 100, nil},
		{"within", 50, 100, nil},
		{"at once, chunked", 0, -1, nil},
		{"within the buffer, chunked", buffer, -1, nil},
		{"behind the buffer, chunked", buffer + 1, -1, []session.Effect{excluded}},
		{"large, at once", 0, 1 << 20, []session.Effect{excluded}},
		{"large, within", buffer + 1, 1 << 20, []session.Effect{excluded}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.Failover = relay.Any
			a, b := r.add("a", answers(200)), r.add("b", answers(200))
			req := post(t.Context(), io.NopCloser(&source{left: c.taken, err: errLeft}))
			req.ContentLength = c.length
			_, err := r.carry(req)
			if _, ok := errors.AsType[*relay.Failed](err); ok || !errors.Is(err, errLeft) || !strings.HasPrefix(err.Error(), "reading body of the request: ") {
				t.Errorf("got %v", err)
			}
			a.asked(c.effects...)
			b.asked()
			if c.effects != nil {
				a.abandoned()
				r.saw("attempt a canceled")
			}
		})
	}
}
