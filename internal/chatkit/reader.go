package chatkit

import (
	"bytes"
	"io"
)

const (
	// MaxFrame is the length of the longest frame that is kept, in bytes. A longer
	// one passes in pieces.
	MaxFrame = 1 << 20

	// minBuffer is enough for the frames of most turns, and largeBuffer for those
	// of a fast one. A buffer that had to be larger is given up.
	minBuffer   = 4 << 10
	largeBuffer = 32 << 10

	// maxEmptyReads is how often a stream may give neither bytes nor an error.
	maxEmptyReads = 100
)

// Reader reads an event stream in whole frames. It changes nothing: what it returns
// is the stream, byte for byte. Lines may end in LF, CR or both.
type Reader struct {
	src io.Reader
	see func(frame []byte)
	err error // of src

	buf        []byte
	start, end int // what was read and not yet returned
	frame      int // where the frame begins that is not yet complete
	scan       int // up to where its lines were looked for

	text bool // the line at scan is not blank
	cr   bool // the byte before scan is a CR
	long bool // the frame began in what was returned before
}

// NewReader returns a reader of a stream. see is called with every frame as soon as
// it is complete, before the frame is returned, and with the beginning of one that
// is too long to keep.
func NewReader(stream io.Reader, see func(frame []byte)) *Reader {
	return &Reader{src: stream, see: see}
}

// Next returns the frames that have come, at least one, once the next is complete.
// They are valid until the next call. Its error is that of the stream.
func (r *Reader) Next() ([]byte, error) {
	for {
		r.split()
		switch {
		case r.frame > r.start:
			return r.take(r.frame), nil
		case r.end-r.start > MaxFrame || r.long && r.end > r.start:
			return r.takePart(), nil
		case r.err != nil:
			return nil, r.err
		}
		r.read()
	}
}

// Within reports whether what was returned last ends within a frame that is too
// long to keep.
func (r *Reader) Within() bool { return r.long }

// Rest returns what is left at the end of the stream: a frame that did not become
// complete.
func (r *Reader) Rest() []byte { return r.buf[r.start:r.end] }

// take returns everything up to a place.
func (r *Reader) take(end int) []byte {
	p := r.buf[r.start:end]
	r.start = end
	return p
}

// takePart returns a part of a frame that is too long.
func (r *Reader) takePart() []byte {
	r.show(r.end)
	r.long, r.frame = true, r.end
	return r.take(r.end)
}

// read reads more of the stream.
func (r *Reader) read() {
	r.makeRoom()
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		if r.err = err; n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// makeRoom makes room for a read behind what was not yet returned.
func (r *Reader) makeRoom() {
	kept, size := r.end-r.start, len(r.buf)
	switch {
	case size == 0, size > largeBuffer && kept < minBuffer:
		size = minBuffer
	case kept > size/2, r.end == size && size < largeBuffer: // a long frame, a fast stream
		size = min(2*size, MaxFrame+largeBuffer)
	}
	to := r.buf
	if size != len(r.buf) {
		to = make([]byte, size)
	} else if r.start == 0 {
		return
	}
	copy(to, r.buf[r.start:r.end])
	r.frame -= r.start
	r.scan -= r.start
	r.buf, r.start, r.end = to, 0, kept
}

// split looks for the ends of frames in what has come. An LF is looked for first:
// that is fast, and a stream of CRs alone is rare.
func (r *Reader) split() {
	for r.scan < r.end {
		part := r.buf[r.scan:r.end]
		lf := bytes.IndexByte(part, '\n')
		if lf >= 0 {
			part = part[:lf+1]
		}
		if r.cr || bytes.IndexByte(part, '\r') >= 0 {
			r.splitSlowly(part)
			continue
		}
		r.scan += len(part)
		r.text = r.text || lf != 0
		if lf >= 0 {
			r.endLine()
		}
	}
}

// splitSlowly is split, byte by byte.
func (r *Reader) splitSlowly(part []byte) {
	for _, c := range part {
		r.scan++
		switch {
		case c == '\n' && r.cr:
			r.cr = false
			if r.frame == r.scan-1 {
				r.frame = r.scan // of the line end that has ended a frame
			}
		case c == '\n' || c == '\r':
			r.cr = c == '\r'
			r.endLine()
		default:
			r.cr, r.text = false, true
		}
	}
}

// endLine takes the end of a line. A blank one ends a frame.
func (r *Reader) endLine() {
	if r.text {
		r.text = false
		return
	}
	r.show(r.scan)
	r.long, r.frame = false, r.scan
}

// show calls see with a frame, or the beginning of one, that nobody has seen.
func (r *Reader) show(end int) {
	if r.see != nil && !r.long {
		r.see(r.buf[r.frame:end])
	}
}
