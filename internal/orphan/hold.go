package orphan

import (
	"context"
	"sync"
)

// Kind is why a call goes on although nobody waits for it.
type Kind uint8

// The kinds. Each has places of its own, so that one cannot take those of the other.
const (
	Loser Kind = iota // another provider has answered
	Late              // its time limit is over, or the client has left
	kinds
)

// maxHeld is how many calls of each kind may go on.
const maxHeld = 256

// Hold takes a place for a call that goes on although nobody waits for it. If there is
// none, ok is false; else release must be called when the call is over.
func (k *Keeper) Hold(kind Kind) (release func(), ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[kind] >= maxHeld {
		return nil, false
	}
	k.held[kind]++
	k.begin()
	return sync.OnceFunc(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.held[kind]--
		k.end()
	}), true
}

// begin notes that there is one thing more to do. The lock is held.
func (k *Keeper) begin() {
	if k.busy == 0 {
		k.idle = make(chan struct{})
	}
	k.busy++
}

// end notes that a thing is done. The lock is held.
func (k *Keeper) end() {
	k.busy--
	if k.busy == 0 {
		close(k.idle)
	}
}

// Wait waits until there is nothing to do, or ctx is done. It returns how much there
// still is.
func (k *Keeper) Wait(ctx context.Context) (left int) {
	for {
		k.mu.Lock()
		left, idle := k.busy, k.idle
		k.mu.Unlock()
		if left == 0 || ctx.Err() != nil {
			return left
		}
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
}
