package registry

import (
	"slices"
	"sync"
	"time"
)

// Fallback is an answer that another provider than the first one gave. It does not
// say whose.
type Fallback struct {
	At        time.Time `json:"at"`
	Provider  string    `json:"provider"` // that should have served
	ServedBy  string    `json:"served_by"`
	Reason    string    `json:"reason"` // why the first did not serve
	Kind      string    `json:"kind"`   // of the route
	Path      string    `json:"path"`
	RequestID string    `json:"request_id"`
}

const maxFallbacks = 50

// fallbackLog holds the latest fallbacks of the process.
type fallbackLog struct {
	mu   sync.Mutex
	ring [maxFallbacks]Fallback
	n    int // ever added
}

var fallbacks fallbackLog

func (l *fallbackLog) add(f Fallback) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.n%maxFallbacks] = f
	l.n++
}

// list returns the fallbacks, the latest first.
func (l *fallbackLog) list() []Fallback {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Fallback, 0, min(l.n, maxFallbacks))
	for i := max(0, l.n-maxFallbacks); i < l.n; i++ {
		list = append(list, l.ring[i%maxFallbacks])
	}
	slices.Reverse(list)
	return list
}
