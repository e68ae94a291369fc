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

// read reads a body as far as it may be kept. If the client announces a longer
// one it reads nothing: the beginning alone is of no use.
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

// again reports whether the body can be sent once more.
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
		// net/http takes another connection by itself if the first turns out to
		// be dead before anything was written to it.
		r.GetBody = func() (io.ReadCloser, error) { return p.copy(), nil }
	}
	// Known now even where the client sent it in chunks.
	r.ContentLength, r.TransferEncoding = int64(len(p.head)), nil
}

// copy returns the body from its beginning. net/http knows that this type is in
// memory; before any other it sends the header in a packet of its own.
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
