package fleet

import (
	"context"
	"sync"
	"time"
)

// maxLease bounds how long one instance alone may probe: as long the others wait
// where it has died.
const maxLease = 5 * time.Second

// lease is what an instance knows of the one lease to probe a provider.
type lease struct {
	mu    sync.Mutex
	own   bool      // this instance has it
	until time.Time // or somebody else does
	asks  bool
}

// held reports whether this instance has the lease.
func (l *lease) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own && time.Now().Before(l.until)
}

// over forgets who has the lease.
func (l *lease) over() { l.set(false, time.Time{}) }

func (l *lease) set(own bool, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own, l.until, l.asks = own, until, false
}

// known returns what is known without asking. Only one caller at a time is to ask.
func (l *lease) known() (own, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.until) {
		return l.own, true
	}
	if l.asks {
		return false, true
	}
	l.asks = true
	return false, false
}

// Holds reports whether this instance has the lease.
func (m *Member) Holds() bool { return m.lease.held() }

// Probe reports whether this instance may probe for a time, where only one of the
// fleet may. It waits for the answer, not longer than the time limit; where there is
// none, it may.
func (m *Member) Probe(ttl time.Duration) bool {
	own, known := m.lease.known()
	if known {
		return own
	}
	if ttl <= 0 || ttl > maxLease {
		ttl = maxLease
	}
	given, left := true, time.Duration(0)
	r := m.fleet.ask(context.Background(), func(ctx context.Context) (found bool, err error) {
		given, left, err = m.fleet.engine.Lease(ctx, m.key(probe), m.fleet.id, ttl)
		return given, err
	})
	switch r {
	case Hit:
		m.lease.set(true, time.Now().Add(ttl))
	case Miss:
		m.lease.set(false, time.Now().Add(min(left, maxLease)))
	default:
		m.lease.over()
		return true
	}
	return given
}

// Free gives the lease back after a probe that has told nothing.
func (m *Member) Free() {
	if !m.lease.held() {
		return
	}
	m.lease.over()
	w := wire{Kind: Freed, Subject: m.subject}
	m.fleet.post(parcel{kind: Freed, fact: &w, entry: Entry{Key: m.key(probe), Value: []byte(m.fleet.id), Rule: Own}})
}
