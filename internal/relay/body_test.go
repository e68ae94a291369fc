package relay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
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

// What a target gets of the body, also behind one that was skipped, and the next
// one after it.
func TestBody(t *testing.T) {
	for _, c := range payloads {
		for _, last := range []int{200, 503} {
			t.Run(fmt.Sprint(c.name, ", ", last), func(t *testing.T) {
				r := newRig(t)
				skipped, a, b := r.add("skipped"), r.add("a"), r.add("b")
				skipped.refuses(session.Open)
				a.sends, b.sends = []send{framed(t, a.keeps(answers(503)))}, []send{framed(t, b.keeps(answers(last)))}
				got := r.carried(c.req(t.Context()))
				if served := map[bool]*fake{true: b, false: a}[c.again]; got.Target != served.Target.Target || got.Failed != (got.StatusCode == http.StatusServiceUnavailable) {
					t.Errorf("%s answered %d, a failure: %t", got.Target.Name, got.StatusCode, got.Failed)
				}
				skipped.asked()
				a.asked(failed)
				b.asked(map[int][]session.Effect{200: {okay}, 503: {failed}, 0: nil}[last*len(b.requests)]...)
				if (len(b.requests) == 1) != c.again {
					t.Errorf("the second was asked %d times", len(b.requests))
				}
				for _, f := range []*fake{a, b} {
					for i, req := range f.requests {
						if f.bodies[i] != c.text || req.ContentLength != c.length {
							t.Errorf("%s got %d bytes, said to be %d", f.Name, len(f.bodies[i]), req.ContentLength)
						}
					}
				}
			})
		}
	}
}

// framed checks the framing before it does the same as then.
func framed(t *testing.T, then send) send {
	t.Helper()
	return func(r *http.Request) (*http.Response, error) {
		checkFraming(t, r)
		return then(r)
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
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(again); err != nil || string(b) != text(int(req.ContentLength)) {
		t.Errorf("got %d bytes and %v again", len(b), err)
	}
}

// A client that leaves within its body is no failure of any target, and costs
// none of them a permit where the body is read beforehand.
func TestBodyThatCannotBeRead(t *testing.T) {
	errLeft := errors.New("connection cut by the client")
	type row struct {
		taken   int // before it fails
		length  int64
		effects []session.Effect // of the first target
	}
	chaintest.Each(t, map[string]row{
		"at once":                    {0, 100, nil},
		"within":                     {50, 100, nil},
		"at once, chunked":           {0, -1, nil},
		"within the buffer, chunked": {buffer, -1, nil},
		"behind the buffer, chunked": {buffer + 1, -1, []session.Effect{excluded}},
		"large, at once":             {0, 1 << 20, []session.Effect{excluded}},
		"large, within":              {buffer + 1, 1 << 20, []session.Effect{excluded}},
	}, func(t *testing.T, c row) {
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
			r.Saw("attempt a canceled")
		}
	})
}
