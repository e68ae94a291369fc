// Package limitread reads bodies that may be too large, into buffers that are used
// again. Every package of either ring may import it; it imports the standard
// library only.
package limitread

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// ErrTooLarge is the error of a body beyond its limit.
var ErrTooLarge = errors.New("body is too large")

// Body is a body that was read. Its bytes are valid until [Body.Release].
type Body struct {
	buf     bytes.Buffer
	limited io.LimitedReader
}

// keep is the largest buffer that is kept for another body, in bytes: one large
// body must not cost its memory for ever.
const keep = 16 << 10

var pool = sync.Pool{New: func() any { return new(Body) }}

// Read reads r to its end. It returns [ErrTooLarge] where there are more than
// limit bytes, of which it then has read one, or the error of r. The body is to
// be released in each case.
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

// Bytes returns what was read.
func (b *Body) Bytes() []byte { return b.buf.Bytes() }

// Release gives the buffer back. The bytes must not be used any more.
func (b *Body) Release() {
	if b.buf.Cap() > keep {
		return
	}
	b.buf.Reset()
	pool.Put(b)
}
