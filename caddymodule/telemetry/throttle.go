package telemetry

import (
	"sync"
	"time"
)

// interval is how often a line of one kind about one provider is logged at most.
// A storm of them says no more than the first.
const interval = 10 * time.Second

// Throttle lets one of each kind pass per 10 seconds. Kinds must be of a closed
// set, such as reasons. The zero value is ready for use, also concurrently.
type Throttle struct {
	mu   sync.Mutex
	kind map[string]*passed
}

type passed struct {
	next time.Time
	held int
}

// Pass reports whether one of a kind may pass, and how many were held back since
// the last one that did.
func (t *Throttle) Pass(kind string) (ok bool, held int) {
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
	p.held, p.next = 0, now.Add(interval)
	return true, held
}
