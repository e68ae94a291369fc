package turn

import "sync/atomic"

const (
	// MaxKept is how much of a turn is kept for clients that come later, in bytes.
	MaxKept = 4 << 20
	// MaxTotal is how much of all turns is kept.
	MaxTotal = 256 << 20
	// maxLag is how far a client may be behind where nothing is kept.
	maxLag = 1 << 20

	minSegment = 1 << 10
	maxSegment = 64 << 10
)

// budget is the memory that turns may keep together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take takes n bytes, and reports whether there were as many.
func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

// tape is what a turn has shown: from its beginning, while it is kept, or from where
// the slowest client is. Not for concurrent use.
type tape struct {
	keep   bool // from the beginning, out of the budget
	budget *budget

	segments   [][]byte
	start, end int64 // what is there
	kept       int   // taken out of the budget
}

// append appends frames. A tape that is full is not kept any more.
func (t *tape) append(p []byte) {
	for len(p) > 0 {
		last := len(t.segments) - 1
		if last < 0 || len(t.segments[last]) == cap(t.segments[last]) {
			t.grow(len(p))
			last++
		}
		s := t.segments[last]
		n := min(len(p), cap(s)-len(s))
		t.segments[last] = append(s, p[:n]...)
		t.end += int64(n)
		p = p[n:]
	}
}

// grow adds a segment. They get larger as the tape does.
func (t *tape) grow(want int) {
	size := max(minSegment, min(int(t.end-t.start), maxSegment))
	size = max(size, min(want, maxSegment))
	if t.keep {
		if t.kept+size <= MaxKept && t.budget.take(size) {
			t.kept += size
		} else {
			t.giveUp()
		}
	}
	t.segments = append(t.segments, make([]byte, 0, size))
}

// giveUp stops to keep what everybody has read.
func (t *tape) giveUp() {
	t.budget.used.Add(-int64(t.kept))
	t.keep, t.kept = false, 0
}

// read copies what is there from a place on.
func (t *tape) read(from int64, p []byte) (n int) {
	i, at := len(t.segments), t.end
	for i > 0 && at > from {
		i--
		at -= int64(len(t.segments[i]))
	}
	for ; i < len(t.segments) && n < len(p); i++ {
		s := t.segments[i]
		if at < from {
			s = s[from-at:]
			at = from
		}
		n += copy(p[n:], s)
		at += int64(len(s))
	}
	return n
}

// trim drops what is before a place, unless it is kept. The last segment is used
// again.
func (t *tape) trim(to int64) {
	if t.keep {
		return
	}
	if to >= t.end {
		if n := len(t.segments); n > 0 {
			t.segments[0] = t.segments[n-1][:0]
			clear(t.segments[1:])
			t.segments = t.segments[:1]
		}
		t.start = t.end
		return
	}
	for len(t.segments) > 1 && t.start+int64(len(t.segments[0])) <= to {
		t.start += int64(len(t.segments[0]))
		t.segments[0] = nil
		t.segments = t.segments[1:]
	}
}

// size is how much memory the tape has.
func (t *tape) size() (n int) {
	for _, s := range t.segments {
		n += cap(s)
	}
	return n
}

// reset forgets everything, as if nothing had been shown.
func (t *tape) reset() {
	t.budget.used.Add(-int64(t.kept))
	*t = tape{keep: t.keep, budget: t.budget}
}
