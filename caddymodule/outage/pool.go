package outage

import (
	"fmt"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

// pool holds what outlives a configuration, under one key: the threads of stand-ins,
// who is known, and since when backends answer.
var pool = caddy.NewUsagePool()

const poolKey = "outage"

// shared is what the chatkit routes of all handlers share. It is gone when no
// configuration has a stand-in any more.
type shared struct {
	memory *threads.Memory
	known  *outage.Known

	mu     sync.Mutex
	states map[string]*outage.State // by scope
}

// take takes it from the pool.
func take() (*shared, error) {
	v, _, err := pool.LoadOrNew(poolKey, func() (caddy.Destructor, error) {
		return &shared{memory: threads.NewMemory(threads.Standard), known: outage.NewKnown(),
			states: make(map[string]*outage.State)}, nil
	})
	if err != nil {
		return nil, err
	}
	s, ok := v.(*shared)
	if !ok {
		return nil, fmt.Errorf("pool holds a %T", v)
	}
	return s, nil
}

// Destruct implements [caddy.Destructor].
func (s *shared) Destruct() error {
	s.memory.Close()
	return nil
}

// state returns what is known of the backends of a site and path.
func (s *shared) state(scope string) *outage.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[scope] == nil {
		s.states[scope] = new(outage.State)
	}
	return s.states[scope]
}
