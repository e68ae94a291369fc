// Package issuer remembers which provider issued a session: an [Index].
//
// It is of the pure ring; caddymodule keeps one for the whole process, so that
// it outlives configuration reloads, and nobody else imports it.
package issuer

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Defaults of an [Index].
const (
	// Size is how many sessions are remembered; the least recently used go.
	Size = 200_000
	// Life is the longest a session is remembered.
	Life = 24 * time.Hour
)

// Index maps sessions to the names of their issuers. It is safe for concurrent
// use. It holds no secret: its keys are hashes that only this process can make.
type Index struct {
	salt [16]byte
	lru  *expirable.LRU[key, entry]
}

type key [16]byte

type entry struct {
	provider string
	until    uint32 // unix seconds, up to 2106; 0: not known
	canceled bool
}

// New returns an empty index of a size, with entries that live for at most life.
func New(size int, life time.Duration) *Index {
	x := &Index{lru: expirable.NewLRU[key, entry](size, nil, life)}
	_, _ = rand.Read(x.salt[:]) // never fails, by its documentation
	return x
}

// Put remembers that a provider has issued a session.
func (x *Index) Put(s *session.Session, provider string) {
	e := entry{provider: provider}
	if at := s.ExpiresAt.Unix(); !s.ExpiresAt.IsZero() && at > 0 && at <= math.MaxUint32 {
		e.until = uint32(at)
	}
	x.lru.Add(x.key(s.Secret), e)
}

// Get returns the provider that issued the session of a secret, "" where that
// is not known or the session is long over.
func (x *Index) Get(secret session.Secret) string {
	e, ok := x.lru.Get(x.key(secret))
	if !ok || (e.until != 0 && time.Now().Unix() > int64(e.until)+grace) {
		return ""
	}
	return e.provider
}

// ID is a name of a session that tells nothing of its secret and that only this
// index knows how to make.
func (x *Index) ID(secret session.Secret) string {
	k := x.key(secret)
	return hex.EncodeToString(k[:])
}

// Cancel marks the session of an [Index.ID] as canceled. It returns who has
// issued it and when it ends (the zero time where that is not known); ok is
// false where no such session is remembered.
func (x *Index) Cancel(id string) (provider string, until time.Time, ok bool) {
	var k key
	if len(id) != hex.EncodedLen(len(k)) {
		return "", until, false
	}
	if _, err := hex.Decode(k[:], []byte(id)); err != nil {
		return "", until, false
	}
	e, ok := x.lru.Get(k)
	if !ok {
		return "", until, false
	}
	e.canceled = true
	x.lru.Add(k, e)
	if e.until != 0 {
		until = time.Unix(int64(e.until), 0)
	}
	return e.provider, until, true
}

// Canceled tells whether a session was canceled, as far as is remembered.
func (x *Index) Canceled(secret session.Secret) bool {
	e, ok := x.lru.Get(x.key(secret))
	return ok && e.canceled
}

// grace is how long after its end a session is still known, in seconds: front
// ends refresh late.
const grace = 60 * 60

// Len is how many sessions are remembered.
func (x *Index) Len() int { return x.lru.Len() }

// key hashes a secret. Nobody sees the hash, so half of one behind a salt does.
func (x *Index) key(secret session.Secret) (k key) {
	var room [16 + 256]byte
	sum := sha256.Sum256(append(append(room[:0], x.salt[:]...), secret.Reveal()...))
	copy(k[:], sum[:])
	return k
}
