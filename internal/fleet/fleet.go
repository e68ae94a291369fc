package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Settings configure a [Fleet].
type Settings struct {
	// Prefix is what every key begins with.
	Prefix string

	// Timeout is how long a question may take that a request waits for.
	Timeout time.Duration

	// Name is what people call this instance.
	Name string
}

// DefaultTimeout is how long a request waits for an answer at most.
const DefaultTimeout = 20 * time.Millisecond

// How often an instance compares what it knows with the store: messages can get
// lost. While the store is away it tries more often.
const (
	syncEvery  = 5 * time.Second
	retryEvery = time.Second
	slowEvery  = 200 * time.Millisecond // while it is too slow
)

// background is how long what nobody waits for may take.
const background = time.Second

// Fleet is what connects an instance to the others. It is safe for concurrent use.
type Fleet struct {
	*Codec

	engine   Engine
	set      Settings
	observer Observer
	id       string // of this instance
	started  time.Time
	outbox   outbox
	wake     chan struct{}
	tokens   *tokens
	asks     atomic.Bool // questions make sense
	stop     context.CancelFunc
	running  sync.WaitGroup
	health   health

	mu       sync.Mutex
	over     bool
	members  []*Member
	canceled map[*func(string)]struct{}
}

// New starts a fleet. It does not wait for the engine.
func New(e Engine, c *Codec, s Settings, o Observer) *Fleet {
	ctx, stop := context.WithCancel(context.Background())
	f := &Fleet{
		Codec: c, engine: e, set: s, observer: o, id: rand.Text()[:13], started: time.Now(), outbox: newOutbox(), tokens: newTokens(),
		wake: make(chan struct{}, 1), stop: stop, canceled: make(map[*func(string)]struct{}),
	}
	f.running.Go(func() { f.listen(ctx) })
	f.running.Go(func() { f.send(ctx) })
	f.running.Go(func() { f.watch(ctx) })
	return f
}

// Close takes the instance out of the roll, and ends all connections.
func (f *Fleet) Close() error {
	f.mu.Lock()
	f.over = true
	f.mu.Unlock()
	f.stop()
	f.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), background)
	defer cancel()
	if f.health.good() {
		f.flush(ctx)
		for _, m := range f.all() {
			m.leave(ctx)
		}
	}
	return f.engine.Close()
}

// begin runs something that Close waits for, and reports whether it does: nothing
// begins after that.
func (f *Fleet) begin(run func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		f.running.Go(run)
	}
	return !f.over
}

// Up reports whether the store can be used.
func (f *Fleet) Up() bool { return f.health.good() }

// all returns the members.
func (f *Fleet) all() []*Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*Member(nil), f.members...)
}

// of returns the members for a subject.
func (f *Fleet) of(subject string) (list []*Member) {
	for _, m := range f.all() {
		if m.subject == subject {
			list = append(list, m)
		}
	}
	return list
}

// key returns the name of a key about a subject. All of one subject have one tag.
func (f *Fleet) key(subject, what string) string {
	return f.set.Prefix + ":{" + subject + "}:" + what
}

// Channel is the name of the channel on which instances tell each other facts.
func Channel(prefix string) string { return prefix + ":events" }

// watch compares what this instance knows with the store, again and again.
func (f *Fleet) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-f.wake:
		}
		err := f.sync(ctx)
		if ctx.Err() != nil {
			return
		}
		f.health.synced(f.observer, err)
		next := syncEvery
		switch {
		case err != nil:
			next = retryEvery
		case !f.asks.Load():
			next = slowEvery
		}
		timer.Reset(jittered(next))
	}
}

// sync says that this instance is there, and compares.
func (f *Fleet) sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, background)
	defer cancel()
	if err := f.test(ctx); err != nil {
		return err
	}
	var errs []error
	for _, m := range f.all() {
		if err := m.sync(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// test finds out whether the store answers, and whether it does so in time for
// requests to ask it.
func (f *Fleet) test(ctx context.Context) error {
	quick, cancel := context.WithTimeout(ctx, f.set.Timeout)
	defer cancel()
	err := f.engine.Ping(quick)
	f.asks.Store(err == nil)
	if err == nil || quick.Err() == nil {
		return err
	}
	return f.engine.Ping(ctx)
}

// hurry makes the next comparison come at once.
func (f *Fleet) hurry() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
