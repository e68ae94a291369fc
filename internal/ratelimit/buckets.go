package ratelimit

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Size is a suitable number of keys for [Buckets], about 25 MiB. A new key evicts
// the least recently used one, which later starts again with a full bucket.
const Size = 1 << 17

// Buckets holds a token bucket per key. It is safe for concurrent use.
type Buckets struct {
	rate Rate
	byID *lru.Cache[id, *Bucket]
}

// id is a hash of a key, because keys can be long and can identify people.
type id [16]byte

// NewBuckets returns buckets for at most size keys, which must be above 0.
func NewBuckets(r Rate, size int) *Buckets {
	byID, err := lru.New[id, *Bucket](size)
	if err != nil {
		panic(err) // the size is 0, which is a bug in the caller
	}
	return &Buckets{rate: r, byID: byID}
}

// Take takes a token from a key's bucket, like [Bucket.Take].
func (b *Buckets) Take(key string) (wait time.Duration) { return b.of(key).Take() }

// Len returns the number of keys.
func (b *Buckets) Len() int { return b.byID.Len() }

func (b *Buckets) of(key string) *Bucket {
	sum := sha256.Sum256([]byte(key))
	k := id(sum[:16])
	if own, ok := b.byID.Get(k); ok {
		return own
	}
	own := NewBucket(b.rate)
	if other, ok, _ := b.byID.PeekOrAdd(k, own); ok { // another goroutine was faster
		return other
	}
	return own
}
