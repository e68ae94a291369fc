package caddymodule

import (
	"sync"
	"time"
)

// logEvery is how often a line of one kind about one provider is logged at most:
// a storm of them says no more than the first.
const logEvery = 10 * time.Second

// throttle lets one of each kind through per interval. Kinds are of closed sets,
// such as reasons.
type throttle struct {
	mu   sync.Mutex
	kind map[string]*passed
}

type passed struct {
	next time.Time
	held int
}

// pass tells whether one of a kind may go through, and how many were held back
// since the last that did.
func (t *throttle) pass(kind string) (ok bool, held int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kind == nil {
		t.kind = make(map[string]*passed)
	}
	p := t.kind[kind]
	if p == nil {
		p = new(passed)
		t.kind[kind] = p
	}
	now := time.Now()
	if now.Before(p.next) {
		p.held++
		return false, 0
	}
	held = p.held
	p.held, p.next = 0, now.Add(logEvery)
	return true, held
}
