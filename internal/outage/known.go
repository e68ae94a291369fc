package outage

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// KnownFor is how long a caller is known whom a backend has answered.
const KnownFor = time.Hour

// knownSize is how many callers are known, about 10 MiB of them.
const knownSize = 100_000

// Known remembers the callers whom a backend has answered lately. It holds hashes
// only, with a key that only this process has. It is safe for concurrent use.
type Known struct {
	key [32]byte
	lru *lru.Cache[[sha256.Size]byte, time.Time] // until when
}

// NewKnown returns one that knows nobody.
func NewKnown() *Known {
	cache, err := lru.New[[sha256.Size]byte, time.Time](knownSize)
	if err != nil {
		panic(err) // the size is 0, which it is not
	}
	k := &Known{lru: cache}
	_, _ = rand.Read(k.key[:]) // never fails, by its documentation
	return k
}

// Learn notes that a backend has answered a caller.
func (k *Known) Learn(scope, caller string) {
	k.lru.Add(k.hash("known", scope, caller), time.Now().Add(KnownFor))
}

// Is reports whether a backend has answered a caller lately.
func (k *Known) Is(scope, caller string) bool {
	until, ok := k.lru.Get(k.hash("known", scope, caller))
	return ok && time.Now().Before(until)
}

// Hash returns a caller as others may know it: 64 characters that say nothing about
// it, and something else for each purpose.
func (k *Known) Hash(purpose, scope, caller string) string {
	sum := k.hash(purpose, scope, caller)
	return hex.EncodeToString(sum[:])
}

func (k *Known) hash(parts ...string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, k.key[:])
	for _, p := range parts {
		mac.Write([]byte(p))
		mac.Write([]byte{0})
	}
	mac.Sum(sum[:0])
	return sum
}
