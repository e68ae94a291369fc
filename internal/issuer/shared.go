package issuer

import (
	"encoding/hex"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// sharedSalts are the salts that sites have shared with other processes.
type sharedSalts struct {
	mu     sync.RWMutex
	bySite map[string][]salts
}

// SharedSite returns the part of a site whose keys all processes with these salts
// can make. What the process knew of the site before, it still knows.
func (x *Index) SharedSite(name string, salt, mask [16]byte) Site {
	with := salts{salt, mask}
	x.shared.mu.Lock()
	defer x.shared.mu.Unlock()
	if x.shared.bySite == nil {
		x.shared.bySite = make(map[string][]salts)
	}
	if !slices.Contains(x.shared.bySite[name], with) {
		x.shared.bySite[name] = append(x.shared.bySite[name], with)
	}
	return Site{x, name, with}
}

// all returns the salts that the site has had, those in use first.
func (s Site) all() []salts {
	s.index.shared.mu.RLock()
	others := s.index.shared.bySite[s.name]
	s.index.shared.mu.RUnlock()
	if len(others) == 0 {
		return []salts{s.salts}
	}
	list := []salts{s.salts}
	for _, other := range append([]salts{s.index.own(s.name)}, others...) {
		if other != s.salts {
			list = append(list, other)
		}
	}
	return list
}

// Record is what a process tells others of a session: hashes and names only.
type Record struct {
	Provider string `json:"p"`
	Caller   string `json:"c"`
	Until    uint32 `json:"u,omitempty"`
	Canceled bool   `json:"x,omitempty"`
}

// Life returns how long the record is of use.
func (r *Record) Life() time.Duration {
	if r.Until == 0 {
		return Life
	}
	return min(time.Until(time.Unix(int64(r.Until)+grace, 0)), Life)
}

// Name returns the name of a session for others. It does not reveal the secret, nor
// the [Site.ID].
func (s Site) Name(secret session.Secret) string {
	k := s.key(secret.Reveal())
	return hex.EncodeToString(k[:])
}

// NameOf is Name for an id.
func (s Site) NameOf(id string) (string, bool) {
	k, ok := parse(id)
	k = s.masked(k)
	return hex.EncodeToString(k[:]), ok
}

// Knows reports whether the session of a secret is known, also one that is over.
func (s Site) Knows(secret session.Secret) bool {
	_, ok := s.find(secret.Reveal())
	return ok
}

// Of returns the record of a name.
func (s Site) Of(name string) (r Record, ok bool) {
	k, ok := parse(name)
	if !ok {
		return r, false
	}
	e, ok := s.index.load(k)
	return Record{s.index.providers.name(e.provider), hex.EncodeToString(e.caller[:]), e.until, e.canceled}, ok
}

// Learn takes over a record of another process.
func (s Site) Learn(name string, r Record) {
	k, ok := parse(name)
	caller, good := parse(r.Caller)
	if !ok || !good || r.Until == math.MaxUint32 {
		return
	}
	if n, ok := s.index.providers.number(r.Provider); ok {
		s.index.store(k, entry{caller, r.Until, n, r.Canceled})
	}
}

// CancelName marks the session with a name as canceled, where it is known.
func (x *Index) CancelName(name string) {
	if k, ok := parse(name); ok {
		x.cancel(k)
	}
}
