package bulkhead

import (
	"sync"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Bulkhead counts the attempts at one provider that are under way. It is safe for
// concurrent use.
//
// One caller gets at most half of the places: otherwise anybody could take the
// provider away from everybody, by asking for what takes long.
type Bulkhead struct {
	most, each int

	mu      sync.Mutex
	all     int
	callers map[by]int // without those that have no place
}

// New returns a bulkhead with n places.
func New(n int) *Bulkhead {
	return &Bulkhead{most: n, each: (n + 1) / 2, callers: make(map[by]int)}
}

// Room reports whether there is a place for who.
func (b *Bulkhead) Room(who session.Caller) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.room(key(who))
}

// Take takes a place for who, to be given back by Leave exactly once, or reports that
// there is none.
func (b *Bulkhead) Take(who session.Caller) bool {
	k := key(who)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.room(k) {
		return false
	}
	b.enter(k)
	return true
}

// Enter counts an attempt that was let through when there was room, and cannot be
// stopped now. It is given back by Leave too.
func (b *Bulkhead) Enter(who session.Caller) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enter(key(who))
}

// Leave gives a place of who back.
func (b *Bulkhead) Leave(who session.Caller) {
	k := key(who)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.callers[k]--; b.callers[k] <= 0 {
		delete(b.callers, k)
	}
}

// InFlight returns how many attempts are under way.
func (b *Bulkhead) InFlight() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}

// Limit returns how many places there are.
func (b *Bulkhead) Limit() int { return b.most }

func (b *Bulkhead) room(k by) bool { return b.all < b.most && b.callers[k] < b.each }

func (b *Bulkhead) enter(k by) {
	b.all++
	b.callers[k]++
}

// by is what a caller is counted by: the account, else the address.
type by struct {
	account bool
	name    string
}

func key(who session.Caller) by {
	if who.User != "" {
		return by{true, who.User}
	}
	return by{false, who.Address}
}
