package fleet

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// health is whether the store can be used: facts arrive, and the last comparison
// worked.
type health struct {
	mu              sync.Mutex
	sync, listen    error
	compared, heard bool // known
	told, up        bool
}

func (h *health) good() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told && h.up
}

func (h *health) synced(o Observer, err error) {
	h.mu.Lock()
	h.sync, h.compared = err, true
	h.settle(o)
}

func (h *health) listened(o Observer, err error) {
	h.mu.Lock()
	h.listen, h.heard = err, true
	h.settle(o)
}

// settle tells a change, and frees the lock.
func (h *health) settle(o Observer) {
	err := errors.Join(h.sync, h.listen)
	known := h.compared && h.heard || err != nil
	up := known && err == nil
	tell := known && (!h.told || up != h.up)
	if tell {
		h.told, h.up = true, up
	}
	h.mu.Unlock()
	if tell {
		o.Up(up, err)
	}
}

// jittered spreads what many instances do.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // spreads load, protects no secret
}
