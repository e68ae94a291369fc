package issuer

import (
	"math"
	"sync"
)

// names numbers the names of providers, which are few, over all configurations. The
// number 0 has no name.
type names struct {
	mu     sync.RWMutex
	byName map[string]uint16
	list   []string
}

// number returns the number of a name. It reports false when there are no numbers
// left.
func (n *names) number(name string) (uint16, bool) {
	n.mu.RLock()
	number, known := n.byName[name]
	n.mu.RUnlock()
	if known {
		return number, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, known = n.byName[name]; known {
		return number, true
	}
	if len(n.list) >= math.MaxUint16 {
		return 0, false
	}
	if n.byName == nil {
		n.byName = make(map[string]uint16)
	}
	n.list = append(n.list, name)
	number = uint16(len(n.list)) //nolint:gosec // see above
	n.byName[name] = number
	return number, true
}

// name returns the name with a number.
func (n *names) name(number uint16) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if number == 0 || int(number) > len(n.list) {
		return ""
	}
	return n.list[number-1]
}
