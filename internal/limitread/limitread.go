// Package limitread reads bodies up to a size limit, into pooled buffers.
//
// Every package may import it. It imports only the standard library.
package limitread

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// ErrTooLarge is returned for a body that is longer than the limit.
var ErrTooLarge = errors.New("body is too large")

// Body is a body that was read. Its bytes are valid until [Body.Release].
type Body struct {
	buf     bytes.Buffer
	limited io.LimitedReader
}

// keep is the size of the largest buffer that goes back to the pool, in bytes, so
// that one large body does not occupy memory forever.
const keep = 16 << 10

var pool = sync.Pool{New: func() any { return new(Body) }}

// Read reads r to its end. It returns [ErrTooLarge] if there are more than limit
// bytes, having read one byte beyond the limit, or the error of r. The caller
// must release the body in every case.
func Read(r io.Reader, limit int64) (*Body, error) {
	b := pool.Get().(*Body) //nolint:forcetypeassert // the pool holds nothing else
	b.limited = io.LimitedReader{R: r, N: limit + 1}
	n, err := b.buf.ReadFrom(&b.limited)
	b.limited.R = nil
	if err == nil && n > limit {
		err = ErrTooLarge
	}
	return b, err
}

// Bytes returns the bytes read.
func (b *Body) Bytes() []byte { return b.buf.Bytes() }

// Release returns the buffer to the pool. The bytes must not be used afterwards.
func (b *Body) Release() {
	if b.buf.Cap() > keep {
		return
	}
	b.buf.Reset()
	pool.Put(b)
}
