package shared

import (
	"context"
	"encoding/hex"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// Threads is what a chatkit route knows of whose the threads are, by itself and by
// its fleet.
type Threads struct {
	// Owners is what this process knows.
	Owners *turn.Owners

	// Link leads to the fleet, nil for none. Hosts returns what the site is known by
	// to all instances.
	Link  *Link
	Hosts func() []string
	Path  string
}

// Learn notes that a backend accepted a turn of the caller in a thread. It stays the
// first caller's.
func (t *Threads) Learn(scope, thread, caller string) {
	if thread == "" || caller == "" {
		return
	}
	f := t.Link.Fleet()
	if f == nil {
		t.Owners.Learn(scope, thread, caller)
		return
	}
	who := whoIn(f, caller)
	if t.Owners.Learn(scope, thread, who) {
		f.Keep(fleet.Thread, t.name(f, thread), []byte(who), turn.OwnersLife, fleet.First)
	}
}

// Others reports whether a thread is known to be another caller's.
func (t *Threads) Others(ctx context.Context, scope, thread, caller string) bool {
	f := t.Link.Fleet()
	if f == nil {
		return t.Owners.Others(scope, thread, caller)
	}
	who := whoIn(f, caller)
	if !t.Owners.Knows(scope, thread) {
		if owner, r := f.Get(ctx, fleet.Thread, t.name(f, thread)); r == fleet.Hit {
			t.Owners.Learn(scope, thread, string(owner))
		}
	}
	// Before the site had a fleet the caller was noted as it is.
	return t.Owners.Others(scope, thread, who) && t.Owners.Others(scope, thread, caller)
}

func (t *Threads) name(f *fleet.Fleet, thread string) string {
	return f.Name("thread", append([]string{t.Path, thread}, t.Hosts()...)...)
}

// whoIn returns a caller as the fleet knows it.
func whoIn(f *fleet.Fleet, caller string) string {
	sum := f.Hash("caller", caller)
	return "fleet " + hex.EncodeToString(sum[:])
}
