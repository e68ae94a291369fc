package hedge

import (
	"math"
	"sync"
	"time"
)

// The histogram of recent answers: buckets that grow by a twentieth from a millisecond
// to two minutes, for each ten seconds of the last minute.
const (
	growth   = 1.05
	shortest = time.Millisecond
	buckets  = 240
	parts    = 6
	partTime = 10 * time.Second

	// enough is how many answers it takes to know a percentile.
	enough = 20
	// fresh is how long a percentile is good before it is computed again.
	fresh = 100 * time.Millisecond
)

// recent is how long the answers of the last minute took. It is safe for concurrent use.
type recent struct {
	mu     sync.Mutex
	start  time.Time // of the newest part
	head   int
	counts [parts][buckets]uint32

	value time.Duration // the percentile at the time of its computing
	known bool
	until time.Time
}

func newRecent(now time.Time) *recent { return &recent{start: now} }

// add adds an answer.
func (r *recent) add(now time.Time, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.roll(now)
	r.counts[r.head][bucketOf(took)]++
}

// p95 returns the 95th percentile. ok is false while there are too few answers.
func (r *recent) p95(now time.Time) (d time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.until) {
		return r.value, r.known
	}
	r.roll(now)
	r.value, r.known = r.compute()
	r.until = now.Add(fresh)
	return r.value, r.known
}

// compute reads the percentile off the buckets. It takes the lower end of what so many
// answers can say of it, two standard deviations of the rank: where one answer in twenty
// is slow, the sample's own percentile is as often slow as not, and to wait for it would
// be of no use to anybody.
func (r *recent) compute() (d time.Duration, ok bool) {
	var sum [buckets]uint32
	total := 0
	for i := range r.counts {
		for j, n := range r.counts[i] {
			sum[j] += n
			total += int(n)
		}
	}
	if total < enough {
		return 0, false
	}
	n := float64(total)
	rank := int(0.95*n - 2*math.Sqrt(n*0.95*0.05))
	for j, seen := 0, 0; j < buckets; j++ {
		if seen += int(sum[j]); seen >= rank {
			return upperEnd(j), true
		}
	}
	return upperEnd(buckets - 1), true
}

// roll drops the parts that are over a minute old.
func (r *recent) roll(now time.Time) {
	steps := int(now.Sub(r.start) / partTime)
	if steps >= parts {
		r.counts = [parts][buckets]uint32{}
		r.start = now
		return
	}
	for range steps {
		r.head = (r.head + 1) % parts
		r.counts[r.head] = [buckets]uint32{}
		r.start = r.start.Add(partTime)
	}
}

func bucketOf(d time.Duration) int {
	if d <= shortest {
		return 0
	}
	i := math.Ceil(math.Log(float64(d)/float64(shortest)) / math.Log(growth))
	return int(min(i, buckets-1))
}

func upperEnd(bucket int) time.Duration {
	return time.Duration(float64(shortest) * math.Pow(growth, float64(bucket)))
}
