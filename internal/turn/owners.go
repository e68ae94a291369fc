package turn

import (
	"crypto/rand"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of what [Owners] remembers.
const (
	OwnersSize = 100_000 // threads, about 15 MiB
	OwnersLife = 30 * 24 * time.Hour
)

// Owners remembers whose a thread is: of the first caller of whom a backend
// accepted a turn in it. It holds hashes only, with a salt that only this process
// knows. It is safe for concurrent use.
type Owners struct {
	salt [16]byte
	life time.Duration
	lru  *lru.Cache[id, owner]
}

// id is a hash.
type id [16]byte

// owner is a caller, and until when that is remembered.
type owner struct {
	caller id
	until  time.Time
}

// NewOwners returns an empty memory of at most size threads, which must be above
// 0. A thread is forgotten when life has passed without a turn in it.
func NewOwners(size int, life time.Duration) *Owners {
	cache, err := lru.New[id, owner](size)
	if err != nil {
		panic(err) // the size is 0, which is a bug in the caller
	}
	o := &Owners{life: life, lru: cache}
	_, _ = rand.Read(o.salt[:]) // never fails, by its documentation
	return o
}

// Learn notes that a backend accepted a turn of the caller in a thread. It stays
// the first caller's.
func (o *Owners) Learn(scope, thread, caller string) {
	if thread == "" || caller == "" {
		return
	}
	key, who := o.id(scope, thread), o.id("", caller)
	if own, ok := o.lru.Get(key); ok && own.caller != who && time.Now().Before(own.until) {
		return
	}
	o.lru.Add(key, owner{who, time.Now().Add(o.life)})
}

// Others reports whether a thread is known to be another caller's.
func (o *Owners) Others(scope, thread, caller string) bool {
	own, ok := o.lru.Get(o.id(scope, thread))
	return ok && own.caller != o.id("", caller) && time.Now().Before(own.until)
}

// Len returns the number of threads.
func (o *Owners) Len() int { return o.lru.Len() }

func (o *Owners) id(scope, name string) id {
	h := sha256.New()
	h.Write(o.salt[:])
	h.Write([]byte(scope + "\x00" + name))
	return id(h.Sum(nil))
}
