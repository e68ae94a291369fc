package breaker

import "time"

// buckets is how finely the window rolls: a call is forgotten between 9/10 and
// 10/10 of the window after it ended.
const buckets = 10

// tally counts the calls of one bucket. unreached are those of the failed ones that
// found no connection.
type tally struct{ calls, failed, unreached, slow int }

// window counts calls over a rolling span of time. It stands beside
// gobreaker's own counts because gobreaker does not know slow calls and asks on
// failures only. Not safe for concurrent use: the breaker's lock guards it.
type window struct {
	width  time.Duration // of one bucket
	start  time.Time     // of the bucket at head
	head   int
	bucket [buckets]tally
}

func newWindow(span time.Duration, now time.Time) window {
	return window{width: max(span/buckets, 1), start: now}
}

// add counts one call that ended at now.
func (w *window) add(now time.Time, c call) {
	w.roll(now)
	b := &w.bucket[w.head]
	b.calls++
	if c.failed {
		b.failed++
	}
	if c.unreached {
		b.unreached++
	}
	if c.slow {
		b.slow++
	}
}

// sum adds up what the window holds at now.
func (w *window) sum(now time.Time) (t tally) {
	w.roll(now)
	for _, b := range w.bucket {
		t.calls += b.calls
		t.failed += b.failed
		t.unreached += b.unreached
		t.slow += b.slow
	}
	return t
}

// clear forgets everything.
func (w *window) clear(now time.Time) {
	w.bucket = [buckets]tally{}
	w.start, w.head = now, 0
}

// roll drops the buckets that have fallen out of the window by now.
func (w *window) roll(now time.Time) {
	steps := int(now.Sub(w.start) / w.width)
	if steps >= buckets {
		w.clear(now)
		return
	}
	for range steps {
		w.head = (w.head + 1) % buckets
		w.bucket[w.head] = tally{}
		w.start = w.start.Add(w.width)
	}
}
