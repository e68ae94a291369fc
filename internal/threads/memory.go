package threads

import (
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds are those of a [Memory].
type Bounds struct {
	Threads int // in all
	Owned   int // of one caller
	Items   int // of one thread

	Bytes       int // in all
	OwnedBytes  int // of one caller
	ThreadBytes int // of one thread

	Life time.Duration // after the last change
}

// Standard are the bounds of the product. They are fixed, so that a configuration
// cannot make a memory leak of a stand-in.
var Standard = Bounds{
	Threads: 20_000, Owned: 50, Items: 200,
	Bytes: 64 << 20, OwnedBytes: 1 << 20, ThreadBytes: 512 << 10,
	Life: 24 * time.Hour,
}

// Memory is a store in the memory of the process. Where it is full, the threads that
// were changed longest ago go first: of the same caller where that has too much, else
// those of strangers, else anybody's.
type Memory struct {
	b Bounds

	mu     sync.Mutex
	by     map[Key]*list.Element
	owners map[Owner]map[string]struct{} // ids
	ages   [2]*list.List                 // of *entry, oldest change first: known callers, strangers
	bytes  int
	sweep  *time.Timer
	closed bool
}

// entry is a thread in the memory.
type entry struct {
	key    Key
	thread *Thread
	size   int
	until  time.Time
}

// NewMemory returns an empty store.
func NewMemory(b Bounds) *Memory {
	return &Memory{b: b, by: make(map[Key]*list.Element), owners: make(map[Owner]map[string]struct{}),
		ages: [2]*list.List{list.New(), list.New()}}
}

// Close forgets everything.
func (m *Memory) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	if m.sweep != nil {
		m.sweep.Stop()
	}
	for _, e := range m.by {
		m.remove(e)
	}
}

// Size returns how many threads there are, and about how much memory they take.
func (m *Memory) Size() (threads, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.by), m.bytes
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, k Key) (*Thread, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.find(k); e != nil {
		return e.thread.clone(), nil
	}
	return nil, ErrGone
}

// List implements [Store].
func (m *Memory) List(_ context.Context, o Owner) ([]*Thread, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*Thread, 0, len(m.owners[o]))
	for id := range m.owners[o] {
		if e := m.find(Key{o, id}); e != nil {
			all = append(all, e.thread.clone())
		}
	}
	slices.SortFunc(all, func(a, b *Thread) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}

// Put implements [Store].
func (m *Memory) Put(_ context.Context, o Owner, t *Thread) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := Key{o, t.ID}
	m.remove(m.by[k])
	m.add(k, t.clone())
	return nil
}

// Update implements [Store].
func (m *Memory) Update(_ context.Context, k Key, change func(*Thread) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(k)
	if e == nil {
		return ErrGone
	}
	t := e.thread.clone()
	if err := change(t); err != nil {
		return err
	}
	m.remove(m.by[k])
	m.add(k, t)
	return nil
}

// Delete implements [Store].
func (m *Memory) Delete(_ context.Context, k Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(m.by[k])
	return nil
}

// Missed implements [Store].
func (m *Memory) Missed(_ context.Context, scope string, n int) (keys []Key, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, age := range m.ages {
		for el := age.Front(); el != nil && len(keys) < n; el = el.Next() {
			e, _ := el.Value.(*entry)
			if e.key.Scope == scope && time.Now().Before(e.until) &&
				slices.ContainsFunc(e.thread.Items, func(i Item) bool { return i.Missed }) {
				keys = append(keys, e.key)
			}
		}
	}
	return keys, nil
}

// find returns a thread that is not too old.
func (m *Memory) find(k Key) *entry {
	el := m.by[k]
	if el == nil {
		return nil
	}
	e, _ := el.Value.(*entry)
	if !time.Now().Before(e.until) {
		m.remove(el)
		return nil
	}
	return e
}

// add adds a thread that is not there, and makes room for it.
func (m *Memory) add(k Key, t *Thread) {
	if m.closed {
		return
	}
	t.trim(m.b.Items, m.b.ThreadBytes)
	e := &entry{key: k, thread: t, size: t.size(), until: time.Now().Add(m.b.Life)}
	m.makeRoom(k.Owner, e.size)
	age := m.ages[0]
	if t.Stranger {
		age = m.ages[1]
	}
	m.by[k] = age.PushBack(e)
	m.bytes += e.size
	if m.owners[k.Owner] == nil {
		m.owners[k.Owner] = make(map[string]struct{}, 1)
	}
	m.owners[k.Owner][k.ID] = struct{}{}
	if m.sweep == nil {
		m.sweep = time.AfterFunc(m.b.Life, m.expire)
	}
}

// remove removes a thread, if there is one.
func (m *Memory) remove(el *list.Element) {
	if el == nil {
		return
	}
	e, _ := el.Value.(*entry)
	for _, age := range m.ages {
		age.Remove(el) // of the other list it does nothing
	}
	delete(m.by, e.key)
	delete(m.owners[e.key.Owner], e.key.ID)
	if len(m.owners[e.key.Owner]) == 0 {
		delete(m.owners, e.key.Owner)
	}
	m.bytes -= e.size
}
