package ratelimit

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Size is how many keys [Buckets] remembers: about 25 MiB of them. The one not
// seen for longest gives way to a new one, and comes back with a full bucket.
const Size = 1 << 17

// Buckets holds a bucket for each of many keys. It is safe for concurrent use.
type Buckets struct {
	rate Rate
	byID *lru.Cache[id, *Bucket]
}

// id is a key in few bytes: keys can be long, and are of people.
type id [16]byte

// NewBuckets returns buckets for at most size keys, which must be above 0.
func NewBuckets(r Rate, size int) *Buckets {
	byID, err := lru.New[id, *Bucket](size)
	if err != nil {
		panic(err) // a size of 0, which stands in the code
	}
	return &Buckets{rate: r, byID: byID}
}

// Take takes a token of a key, as [Bucket.Take] does.
func (b *Buckets) Take(key string) (wait time.Duration) { return b.of(key).Take() }

// Len is how many keys are remembered.
func (b *Buckets) Len() int { return b.byID.Len() }

func (b *Buckets) of(key string) *Bucket {
	sum := sha256.Sum256([]byte(key))
	k := id(sum[:16])
	if own, ok := b.byID.Get(k); ok {
		return own
	}
	own := NewBucket(b.rate)
	if other, ok, _ := b.byID.PeekOrAdd(k, own); ok { // somebody was faster
		return other
	}
	return own
}
