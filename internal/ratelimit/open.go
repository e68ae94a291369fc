package ratelimit

import (
	"crypto/sha256"
	"sync"
)

// Open counts what is open at the same time, by key. The zero value is ready to use,
// and safe for concurrent use. It takes memory only for what is open.
type Open struct {
	mu sync.Mutex
	n  map[[sha256.Size]byte]int
}

// Enter opens something of a key, unless limit of them are open. It returns what
// closes it, to be called once or more often, and nil where there is no place.
func (o *Open) Enter(key string, limit int) (leave func()) {
	k := sha256.Sum256([]byte(key)) // keys may be long: they come from requests
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n[k] >= limit {
		return nil
	}
	if o.n == nil {
		o.n = make(map[[sha256.Size]byte]int)
	}
	o.n[k]++
	return sync.OnceFunc(func() { o.leave(k) })
}

func (o *Open) leave(k [sha256.Size]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n[k]--; o.n[k] <= 0 {
		delete(o.n, k)
	}
}

// Keys returns the number of keys of which something is open.
func (o *Open) Keys() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.n)
}
