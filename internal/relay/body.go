package relay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// small is the size up to which a body is always read before it is sent, in
// bytes. It mostly came in one piece with the header. Kept, it leaves in one piece
// too, and net/http can send it again where a connection turns out to be dead.
const small = 4 << 10

// ErrStalled is the error of a client that pauses too long within its body.
var ErrStalled = errors.New("the client sent nothing for too long")

// payload is the body of a request: all of it, so that it can be sent again, or
// its beginning and the client, who has the rest.
type payload struct {
	client  io.Reader // nil: head is all of it
	length  int64     // as announced, -1 if unknown
	settled bool      // as much of it is kept as will be
	sent    bool      // the rest went on its way, once
	held    int64     // reserved for head

	mu   sync.Mutex // transports read even after they have returned
	head []byte
}

func newPayload(r *http.Request) *payload {
	p := &payload{client: r.Body, length: r.ContentLength}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		p.client, p.length = nil, 0
	}
	return p
}

// whole reports whether all of the body is there.
func (p *payload) whole() bool { return p.client == nil }

// again reports whether the body can be sent (once more).
func (p *payload) again() bool { return p.whole() || !p.sent }

// keep reads the body as far as it may be kept. If the client announces a longer
// one it reads nothing: the beginning alone is of no use.
func (p *payload) keep(d *Delivery) error {
	if p.whole() || p.settled {
		return nil
	}
	p.settled = true
	if p.length > d.relay.Buffer {
		return nil
	}
	most := d.relay.Buffer
	if p.length >= 0 {
		most = p.length
	}
	return p.within(d, func() error { return p.fill(most+1, d.relay.BufferTotal) }) // one more byte shows whether that is all
}

// within calls a function that reads from the client, for as long as the client
// has time.
func (p *payload) within(d *Delivery, read func() error) error {
	timer := time.AfterFunc(d.relay.FirstByte, func() {
		if d.req.Interrupt != nil {
			d.req.Interrupt()
		}
	})
	err := read()
	if err = stalled(err); !timer.Stop() {
		err = ErrStalled
	}
	if err != nil {
		return fmt.Errorf("reading body of the request: %w", err)
	}
	return nil
}

// stalled returns the error of reading from the client, who may have run out of the
// time that the server gives bodies.
func stalled(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrStalled
	}
	return err
}

// fill reads up to most bytes, or as many as there is memory for.
func (p *payload) fill(most, total int64) error {
	for {
		if len(p.head) == cap(p.head) && !p.grow(most, total) {
			return nil
		}
		n, err := p.client.Read(p.head[len(p.head):cap(p.head)])
		p.head = p.head[:len(p.head)+n]
		switch {
		case err == io.EOF && int64(len(p.head)) < most:
			p.client = nil
			return nil
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// grow makes room for more. It takes memory as the body comes, not as it was
// announced.
func (p *payload) grow(most, total int64) bool {
	size := min(most, max(2*int64(cap(p.head)), small+1))
	more := size - int64(cap(p.head))
	if more <= 0 || !reserve(more, total) {
		return false
	}
	p.held += more
	p.head = append(make([]byte, 0, size), p.head...)
	return true
}

// release gives the memory back. What is still being sent is dropped when it is
// sent.
func (p *payload) release() {
	buffered.Add(-p.held)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held, p.head = 0, nil
}

// Keep reads the body as far as it may be kept, and returns what there is of it: all,
// or the beginning, of prefix bytes at least. It is to be called before Next. The
// error is that of reading; what came before it is returned too. It is valid until
// Close.
func (d *Delivery) Keep(prefix int) (body []byte, whole bool, err error) {
	if err := d.body.keep(d); err != nil {
		return d.body.head, false, err
	}
	return d.Peek(prefix)
}

// Peek reads the beginning of the body, of prefix bytes at least. It is for a request
// that may not be sent; else as Keep.
func (d *Delivery) Peek(prefix int) (body []byte, whole bool, err error) {
	p := d.body
	if missing := prefix - len(p.head); !p.whole() && missing > 0 {
		err := p.within(d, func() error {
			b, err := io.ReadAll(io.LimitReader(p.client, int64(missing)))
			p.head = append(p.head, b...)
			if err == nil && len(b) < missing {
				p.client = nil
			}
			return err
		})
		if err != nil {
			return p.head, false, err
		}
	}
	return p.head, p.whole(), nil
}
