package relay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// put gives a request the body.
func (p *payload) put(r *http.Request, c *clock) {
	r.GetBody = nil
	if !p.whole() {
		// As long as the client said, or unknown: chunked.
		rest := &upload{p: p, clock: c}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(p.head), rest))
		return
	}
	n := int64(len(p.head))
	if n == 0 {
		r.Body = http.NoBody
	} else {
		r.Body = p.copy(c)
		// net/http takes another connection by itself if the first turns out to
		// be dead before anything was written to it.
		r.GetBody = func() (io.ReadCloser, error) {
			if b := p.copy(c); b != nil {
				return b, nil
			}
			return nil, errors.New("the request is over")
		}
	}
	if len(r.Trailer) > 0 && n > 0 {
		return // only chunks can have trailers
	}
	// Known now even where the client sent it in chunks.
	r.ContentLength, r.TransferEncoding = n, nil
}

// copy returns the body from its beginning, nil after its release. net/http knows
// that the type of a small one is in memory; before any other it sends the header
// in a packet of its own.
func (p *payload) copy(c *clock) io.ReadCloser {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.head) == 0:
		return nil
	case len(p.head) <= small:
		return io.NopCloser(bytes.NewReader(p.head))
	}
	return &replay{left: p.head, clock: c}
}

// replay reads a body that is kept. It lets go of the memory at its end, because
// net/http holds on to a request for as long as its answer lasts.
type replay struct {
	clock *clock

	mu   sync.Mutex
	left []byte
}

// Read implements [io.Reader].
func (b *replay) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := copy(p, b.left)
	b.left = b.left[n:]
	b.clock.sends(len(b.left) > 0)
	if len(b.left) == 0 {
		b.left = nil
		return n, io.EOF
	}
	return n, nil
}

// Close implements [io.Closer].
func (b *replay) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = nil
	return nil
}

// upload is the part of a body that comes from the client while it is sent on.
type upload struct {
	p     *payload
	clock *clock
}

// Read implements [io.Reader].
func (u *upload) Read(b []byte) (int, error) {
	u.clock.sends(true)
	u.clock.turn(true)
	n, err := u.p.client.Read(b)
	switch {
	case err == io.EOF:
		u.clock.sends(false)
		u.clock.uploaded()
	case err != nil:
		u.clock.blame(stalled(err))
	}
	u.clock.turn(false)
	return n, stalled(err)
}
