package exchange

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// body is the body of an answer. Read to its end, it gives the connection back;
// closed before, it closes it. It may be closed while it is read.
type body struct {
	io.Reader
	ctx  context.Context
	stop func() bool // the end of the context from reaching the connection

	mu       sync.Mutex
	conn     *conn // nil when done
	reusable bool
}

// errClosed is the error of reading a closed body.
var errClosed = errors.New("http: read on closed response body")

// newBody returns the body of an answer.
func newBody(ctx context.Context, c *conn, stop func() bool, resp *http.Response) *body {
	b := &body{Reader: resp.Body, ctx: ctx, stop: stop, conn: c, reusable: c.reusableAfter(resp)}
	if resp.Body == http.NoBody {
		_ = b.done(io.EOF)
	}
	return b
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil {
		return n, nil
	}
	return n, b.done(err)
}

// Close implements [io.Closer].
func (b *body) Close() error {
	_ = b.done(errClosed)
	return nil
}

// done ends the exchange, once, and returns what Read returns.
func (b *body) done(err error) error {
	b.mu.Lock()
	c := b.conn
	b.conn = nil
	b.mu.Unlock()
	whole := errors.Is(err, io.EOF)
	if c == nil {
		if whole {
			return io.EOF
		}
		return errClosed
	}
	inTime := b.stop()
	if whole && inTime && b.reusable && c.quiet() {
		c.t.pool.put(c)
		return io.EOF
	}
	_ = c.Close()
	if whole {
		return io.EOF
	}
	return ended(b.ctx, err)
}
