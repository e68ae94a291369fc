package turn

import (
	"crypto/rand"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of what [Owners] remembers.
const (
	OwnersSize = 100_000 // threads, about 17 MiB
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

// owner is a caller, until when that is remembered, and when it was news.
type owner struct {
	caller      id
	until, told time.Time
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
// the first caller's. It reports whether that is news: it was not known before, or has
// not been news for half of its life.
func (o *Owners) Learn(scope, thread, caller string) (news bool) {
	if thread == "" || caller == "" {
		return false
	}
	key, who := o.id(scope, thread), o.id("", caller)
	now := time.Now()
	own, ok := o.lru.Get(key)
	ok = ok && now.Before(own.until)
	if ok && own.caller != who {
		return false
	}
	if news = !ok || now.Sub(own.told) > o.life/2; news {
		own.told = now
	}
	o.lru.Add(key, owner{who, now.Add(o.life), own.told})
	return news
}

// Knows reports whether it is known whose a thread is.
func (o *Owners) Knows(scope, thread string) bool {
	own, ok := o.lru.Get(o.id(scope, thread))
	return ok && time.Now().Before(own.until)
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
