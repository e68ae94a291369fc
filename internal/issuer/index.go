// Package issuer remembers which provider issued each session, in an [Index].
//
// It does not depend on Caddy. Only caddymodule imports it; its index survives
// configuration reloads.
package issuer

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"math"
	"time"

	"github.com/coocood/freecache"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Defaults of an [Index].
const (
	// Size is the number of sessions. Beyond it those that were not used for long
	// are dropped.
	Size = 200_000
	// Life is how long a session is remembered at most.
	Life = 24 * time.Hour
)

// Index maps sessions to the names of their issuers, for each [Site] its own. It
// is safe for concurrent use. It does not store secrets: its keys are hashes with
// salts that only this process knows. It holds no pointers, so that the garbage
// collector has nothing to follow.
type Index struct {
	salt, siteSalt [16]byte
	life           int // in seconds
	providers      names
	cache          *freecache.Cache
	shared         sharedSalts
}

// Site is the part of an [Index] that belongs to a site. It knows nothing of the
// sessions of other sites, not even by their ids.
type Site struct {
	index *Index
	name  string
	salts
}

// salts are what the keys of a site are made with.
type salts struct {
	salt [16]byte
	mask key // on all keys of the site
}

type key [16]byte

// New returns an empty index for about size sessions, each kept for at most life.
func New(size int, life time.Duration) *Index {
	x := &Index{life: int(life / time.Second), cache: freecache.NewCache(size * sessionRoom)}
	_, _ = rand.Read(x.salt[:]) // never fails, by its documentation
	_, _ = rand.Read(x.siteSalt[:])
	return x
}

// Site returns the part of a site.
func (x *Index) Site(name string) Site { return Site{x, name, x.own(name)} }

// own returns the salts of a site that no other process knows.
func (x *Index) own(name string) salts { return salts{x.salt, hash(x.siteSalt, name)} }

// Put remembers that a provider has issued a session to a caller.
func (s Site) Put(made *session.Session, provider, caller string) {
	n, ok := s.index.providers.number(provider)
	if !ok {
		return
	}
	e := entry{provider: n, caller: hash(s.salt, caller)}
	if at := made.ExpiresAt.Unix(); !made.ExpiresAt.IsZero() && at > 0 && at <= math.MaxUint32 {
		e.until = uint32(at)
	}
	s.index.store(s.key(made.Secret.Reveal()), e)
}

// Get returns the provider that issued the session of a secret, "" where that is
// not known or the session is long over.
func (s Site) Get(secret session.Secret) string {
	e, ok := s.get(secret)
	if !ok {
		return ""
	}
	return s.index.providers.name(e.provider)
}

// IssuedTo returns the provider that issued the session of a secret to this
// caller, "" where that is not known or the session is long over.
func (s Site) IssuedTo(secret session.Secret, caller string) string {
	e, ok := s.get(secret)
	if !ok {
		return ""
	}
	for _, with := range s.all() {
		if e.caller == hash(with.salt, caller) {
			return s.index.providers.name(e.provider)
		}
	}
	return ""
}

// get returns what is remembered of a session that is not long over.
func (s Site) get(secret session.Secret) (e entry, ok bool) {
	e, ok = s.find(secret.Reveal())
	if !ok || (e.until != 0 && time.Now().Unix() > int64(e.until)+grace) {
		return entry{}, false
	}
	return e, true
}

// ID returns an identifier for a session that does not reveal its secret. Only
// this index can create it, and only its site can use it.
func (s Site) ID(secret session.Secret) string {
	k := hash(s.salt, secret.Reveal())
	return hex.EncodeToString(k[:])
}

// Cancel marks the session with an [Index.ID] as canceled. It returns the
// session's issuer and expiry (the zero time if unknown). ok is false if the
// index does not hold the session.
func (s Site) Cancel(id string) (provider string, until time.Time, ok bool) {
	e, k, ok := s.byID(id)
	if !ok {
		return "", until, false
	}
	s.index.cancel(k)
	if e.until != 0 {
		until = time.Unix(int64(e.until), 0)
	}
	return s.index.providers.name(e.provider), until, true
}

// Canceled reports whether the session is known to be canceled.
func (s Site) Canceled(secret session.Secret) bool {
	e, ok := s.find(secret.Reveal())
	return ok && e.canceled
}

// find returns what is known of a secret: also what was put before the site began to
// share its keys, or ended it.
func (s Site) find(secret string) (e entry, ok bool) {
	for _, with := range s.all() {
		if e, ok = s.index.load(with.key(secret)); ok {
			return e, true
		}
	}
	return e, false
}

// byID is find for an id. It returns the key too.
func (s Site) byID(id string) (e entry, k key, ok bool) {
	raw, ok := parse(id)
	if !ok {
		return e, k, false
	}
	for _, with := range s.all() {
		k = with.masked(raw)
		if e, ok = s.index.load(k); ok {
			return e, k, true
		}
	}
	return e, k, false
}

// parse reads an id.
func parse(id string) (k key, ok bool) {
	if len(id) != hex.EncodedLen(len(k)) {
		return k, false
	}
	_, err := hex.Decode(k[:], []byte(id))
	return k, err == nil
}

// grace is how long a session is still known after its expiry, in seconds,
// because front ends refresh late.
const grace = 60 * 60

// Len returns the number of sessions in the index.
func (x *Index) Len() int { return int(x.cache.EntryCount()) }

// key returns the key of a secret.
func (s salts) key(secret string) key { return s.masked(hash(s.salt, secret)) }

// masked turns an id into a key of the site, which makes the id of another site
// the key of nothing.
func (s salts) masked(k key) key {
	subtle.XORBytes(k[:], k[:], s.mask[:])
	return k
}

// hash hashes a text with a salt. Nobody else sees the hash, so half of it is
// enough.
func hash(salt [16]byte, text string) (k key) {
	var room [16 + 256]byte
	sum := sha256.Sum256(append(append(room[:0], salt[:]...), text...))
	copy(k[:], sum[:])
	return k
}
