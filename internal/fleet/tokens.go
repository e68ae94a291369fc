package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxEmpty is how many keys without tokens are remembered.
const maxEmpty = 1 << 14

// tokens asks the store for tokens. Of each key there is one question at a time:
// who asks meanwhile is part of the next one, so a burst costs two. Nobody asks for a
// key that is known to be empty.
type tokens struct {
	mu      sync.Mutex
	waiting map[string]*batch // by key, the next question; nil while none waits
	empty   *lru.Cache[string, time.Time]
}

// batch is one question for several tokens.
type batch struct {
	done chan struct{} // closed with the answer

	// Guarded by the lock of tokens until the question is asked.
	n int

	// The answer. left counts down as those who asked take theirs.
	mu   sync.Mutex
	left int
	wait time.Duration
	err  error
}

func newTokens() *tokens {
	cache, err := lru.New[string, time.Time](maxEmpty)
	if err != nil {
		panic(err) // the size is above 0
	}
	return &tokens{waiting: make(map[string]*batch), empty: cache}
}

// until returns how long a key is known to be empty, 0 for not.
func (t *tokens) until(key string) time.Duration {
	at, ok := t.empty.Get(key)
	if !ok {
		return 0
	}
	return max(time.Until(at), 0)
}

// join makes the caller part of the next question, and reports whether the caller
// has to see that it is asked.
func (t *tokens) join(key string) (b *batch, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, asked := t.waiting[key]
	if b == nil {
		b = &batch{done: make(chan struct{})}
		t.waiting[key] = b
	}
	b.n++
	return b, !asked
}

// next returns the question to ask now, nil where nobody waits any more.
func (t *tokens) next(key string) *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.waiting[key]
	if b == nil {
		delete(t.waiting, key)
		return nil
	}
	t.waiting[key] = nil
	return b
}

// taken takes one token of the answer.
func (b *batch) taken() (wait time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if b.left > 0 {
		b.left--
		return 0, nil
	}
	return max(b.wait, time.Millisecond), nil
}

// askAll asks for those who wait for tokens of a key, until nobody does. Who has not
// waited long enough counts all the same.
func (f *Fleet) askAll(key string, r Rate) {
	for b := f.tokens.next(key); b != nil; b = f.tokens.next(key) {
		ctx, cancel := context.WithTimeout(context.Background(), background)
		b.left, b.wait, b.err = f.engine.Take(ctx, key, r, b.n)
		cancel()
		if b.err == nil && b.left < b.n && b.wait > 0 {
			f.tokens.empty.Add(key, time.Now().Add(b.wait))
		}
		close(b.done)
	}
}

// errOver is the error of a fleet that is closed.
var errOver = errors.New("the connection is closed")

// Take takes a token of the fleet. known is false where nobody answers.
func (f *Fleet) Take(name string, r Rate) (wait time.Duration, known bool) {
	key := f.set.Prefix + ":rate:" + name
	if wait := f.tokens.until(key); wait > 0 {
		return wait, true
	}
	result := f.ask(context.Background(), func(ctx context.Context) (given bool, err error) {
		b, first := f.tokens.join(key)
		if first && !f.begin(func() { f.askAll(key, r) }) {
			return false, errOver
		}
		select {
		case <-b.done:
			wait, err = b.taken()
			return wait == 0, err
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
	return wait, result == Hit || result == Miss
}
