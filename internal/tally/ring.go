package tally

import "time"

// seconds is the number of buckets.
const seconds = int64(Long / time.Second)

// ring holds a bucket for each of the last seconds. A bucket that comes round
// again is emptied when it is used.
type ring [seconds]bucket

// bucket is what happened in one second.
type bucket struct {
	second int64 // of the Unix time

	answered, served, attempts uint32
	took                       time.Duration // of all attempts
}

func (b *bucket) attempt(took time.Duration) {
	b.attempts++
	b.took += took
}

// at returns the bucket of a time.
func (r *ring) at(now time.Time) *bucket {
	second := now.Unix()
	b := &r[second%seconds]
	if b.second != second {
		*b = bucket{second: second}
	}
	return b
}

// sum adds up the buckets of the last window.
func (r *ring) sum(now time.Time, window time.Duration) (total bucket) {
	last := now.Unix()
	first := last - min(int64(window/time.Second), seconds) + 1
	for i := range r {
		b := &r[i]
		if b.second < first || b.second > last {
			continue
		}
		total.answered += b.answered
		total.served += b.served
		total.attempts += b.attempts
		total.took += b.took
	}
	return total
}
