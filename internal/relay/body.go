package relay

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// payload is the body of a request: all of it, so that it can be sent again, or
// its beginning and a reader of the rest.
type payload struct {
	head []byte
	rest io.Reader // nil: head is all of it
	err  error     // why the client's rest did not come
}

// read reads a body as far as it may be kept. Of one that says that it is
// longer nothing is: the beginning alone is of no use.
func read(r *http.Request, limit int64) (payload, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return payload{}, nil
	}
	if r.ContentLength > limit {
		return payload{rest: r.Body}, nil
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return payload{}, fmt.Errorf("reading body of the request: %w", err)
	}
	p := payload{head: head}
	if int64(len(head)) > limit {
		p.rest = r.Body
	}
	return p, nil
}

// again tells whether the body can be sent once more.
func (p *payload) again() bool { return p.rest == nil }

// put gives a request the body.
func (p *payload) put(r *http.Request, c *clock) {
	r.GetBody = nil
	switch {
	case p.rest != nil:
		// As long as the client said, or unknown: chunked.
		rest := &upload{from: p.rest, clock: c}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(p.head), rest))
		return
	case len(p.head) == 0:
		r.Body = http.NoBody
	default:
		r.Body = p.copy()
		// A connection that turns out to be dead before anything was written
		// to it is no attempt; net/http takes another one by itself.
		r.GetBody = func() (io.ReadCloser, error) { return p.copy(), nil }
	}
	// Known now even where the client sent it in chunks.
	r.ContentLength, r.TransferEncoding = int64(len(p.head)), nil
}

// copy is the body from its beginning. It is of a type that net/http knows to be
// in memory: before any other it sends the header in a packet of its own.
func (p *payload) copy() io.ReadCloser { return io.NopCloser(bytes.NewReader(p.head)) }

// upload is the part of a body that comes from the client while it is sent on.
type upload struct {
	from  io.Reader
	clock *clock
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	u.clock.turn(true)
	n, err := u.from.Read(p)
	if err != nil && err != io.EOF {
		u.clock.blame(err)
	}
	u.clock.turn(false)
	return n, err
}
