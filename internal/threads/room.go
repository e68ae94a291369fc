package threads

import (
	"container/list"
	"time"
)

// makeRoom makes room for one more thread of an owner's.
func (m *Memory) makeRoom(o Owner, size int) {
	for {
		oldest, n, bytes := m.owned(o)
		if oldest == nil || n < m.b.Owned && bytes+size <= m.b.OwnedBytes {
			break
		}
		m.remove(oldest)
	}
	for len(m.by) >= m.b.Threads || m.bytes+size > m.b.Bytes {
		oldest := m.ages[1].Front()
		if oldest == nil {
			oldest = m.ages[0].Front()
		}
		if oldest == nil {
			return
		}
		m.remove(oldest)
	}
}

// owned returns what an owner has: the thread that was changed longest ago, how many
// there are, and what they take.
func (m *Memory) owned(o Owner) (oldest *list.Element, n, bytes int) {
	var until time.Time
	for id := range m.owners[o] {
		el := m.by[Key{o, id}]
		e, _ := el.Value.(*entry)
		n, bytes = n+1, bytes+e.size
		if oldest == nil || e.until.Before(until) {
			oldest, until = el, e.until
		}
	}
	return oldest, n, bytes
}

// expire forgets the threads that are too old, and comes again while there are others.
func (m *Memory) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep = nil
	next := time.Duration(0)
	for _, age := range m.ages {
		for el := age.Front(); el != nil; el = age.Front() {
			e, _ := el.Value.(*entry)
			if left := time.Until(e.until); left > 0 {
				if next == 0 || left < next {
					next = left
				}
				break
			}
			m.remove(el)
		}
	}
	if next > 0 && !m.closed {
		m.sweep = time.AfterFunc(next, m.expire)
	}
}
