package fleet_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

var errAway = errors.New("away")

// memory is an engine in memory, which instances of a test share.
type memory struct {
	mu        sync.Mutex
	values    map[string]value
	listeners map[chan []byte]bool
	beats     map[string]map[string]beat
	tokens    map[string]int
	away      bool          // every call fails
	delay     time.Duration // of every answer
	looks     int
	takes     []int // how many tokens each question was for
}

type value struct {
	fleet.Entry

	at, until time.Time
}

type beat struct {
	value []byte
	at    time.Time
}

func newMemory() *memory {
	return &memory{
		values: make(map[string]value), listeners: make(map[chan []byte]bool), beats: make(map[string]map[string]beat), tokens: make(map[string]int),
	}
}

// enter waits as long as an answer takes.
func (m *memory) enter(ctx context.Context) error {
	m.mu.Lock()
	away, delay := m.away, m.delay
	m.mu.Unlock()
	if away {
		return errAway
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *memory) set(away bool, delay time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away, m.delay = away, delay
	if away {
		for l := range m.listeners {
			close(l)
		}
		clear(m.listeners)
	}
}

func (m *memory) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.values)
	clear(m.beats)
}

func (m *memory) Ping(ctx context.Context) error { return m.enter(ctx) }

func (m *memory) Put(ctx context.Context, entries []fleet.Entry) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		m.put(e)
	}
	return nil
}

func (m *memory) put(e fleet.Entry) {
	now := time.Now()
	old, ok := m.values[e.Key]
	ok = ok && now.Before(old.until)
	keep := e.TTL > 0
	switch e.Rule {
	case fleet.Own:
		if ok && string(old.Value) == string(e.Value) {
			delete(m.values, e.Key)
		}
	case fleet.First:
		keep = keep && !ok
	case fleet.Longest:
		keep = keep && (!ok || old.until.Before(now.Add(e.TTL)))
	case fleet.Newest:
		if ok && old.at.After(now.Add(-e.Age)) {
			return
		}
	default:
	}
	if keep {
		m.values[e.Key] = value{e, now.Add(-e.Age), now.Add(e.TTL)}
	}
	for _, key := range e.Drop {
		delete(m.values, key)
	}
	if e.Message != nil {
		for l := range m.listeners {
			l <- e.Message
		}
	}
}

func (m *memory) Look(ctx context.Context, keys []string) ([]fleet.Kept, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	found := make([]fleet.Kept, len(keys))
	for i, key := range keys {
		if v, ok := m.values[key]; ok && time.Now().Before(v.until) {
			found[i] = fleet.Kept{Value: v.Value, Left: time.Until(v.until), Age: time.Since(v.at)}
		}
	}
	return found, nil
}

func (m *memory) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, time.Duration, error) {
	if err := m.enter(ctx); err != nil {
		return false, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.values[key]; ok && time.Now().Before(v.until) && string(v.Value) != owner {
		return false, time.Until(v.until), nil
	}
	m.values[key] = value{fleet.Entry{Value: []byte(owner)}, time.Now(), time.Now().Add(ttl)}
	return true, 0, nil
}

func (m *memory) Take(ctx context.Context, key string, r fleet.Rate, n int) (int, time.Duration, error) {
	if err := m.enter(ctx); err != nil {
		return 0, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takes = append(m.takes, n)
	got := min(n, r.N-m.tokens[key])
	m.tokens[key] += got
	return got, r.Per, nil
}

func (m *memory) Beat(ctx context.Context, key, instance string, v []byte, _ time.Duration) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.beats[key] == nil {
		m.beats[key] = make(map[string]beat)
	}
	if v == nil {
		delete(m.beats[key], instance)
		return nil
	}
	m.beats[key][instance] = beat{v, time.Now()}
	return nil
}

func (m *memory) Roll(ctx context.Context, key string, _ time.Duration) (map[string]fleet.Beat, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]fleet.Beat)
	for id, b := range m.beats[key] {
		all[id] = fleet.Beat{Value: b.value, Age: time.Since(b.at)}
	}
	return all, nil
}

func (m *memory) Listen(ctx context.Context, ready func(), got func([]byte)) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	l := make(chan []byte, 1000)
	m.mu.Lock()
	m.listeners[l] = true
	m.mu.Unlock()
	ready()
	for {
		select {
		case message, ok := <-l:
			if !ok {
				return errAway
			}
			got(message)
		case <-ctx.Done():
			m.mu.Lock()
			delete(m.listeners, l)
			m.mu.Unlock()
			return ctx.Err()
		}
	}
}

func (*memory) Close() error { return nil }

// text is all that is kept.
func (m *memory) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for key, v := range m.values {
		b.WriteString(key + " " + string(v.Value) + "\n")
	}
	return b.String()
}
