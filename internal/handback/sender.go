package handback

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

const (
	// every is how often it is looked whether there is something to tell.
	every = 5 * time.Second

	// longest is the longest wait after a try that failed.
	longest = 5 * time.Minute

	// batch is how many threads are told in one go.
	batch = 1000
)

// Sender tells an endpoint what backends have missed.
type Sender struct {
	to      *Endpoint
	store   threads.Store
	scope   func() string
	back    func(since time.Time) bool
	trouble func(error)

	wake   chan struct{}
	ctx    context.Context //nolint:containedctx // of the goroutine
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// New returns a sender that is to be started, and closed. back reports whether a
// backend has answered since then; trouble is told of what failed.
func New(to *Endpoint, store threads.Store, scope func() string, back func(time.Time) bool, trouble func(error)) *Sender {
	s := &Sender{to: to, store: store, scope: scope, back: back, trouble: trouble, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Start starts the sender, unless it is closed.
func (s *Sender) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Go(s.run)
	}
}

// Wake says that a backend has answered: it is looked at once.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close stops the sender. What was not told is left for the next one.
func (s *Sender) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	s.to.close()
}

// run tells what there is to tell. After a failure it waits longer and longer.
func (s *Sender) run() {
	wait := every
	for {
		timer := time.NewTimer(wait)
		select {
		case <-s.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-s.wake:
			timer.Stop()
			if wait > every && !s.pause(wait) { // it has failed: let it rest
				return
			}
		}
		if s.tell() {
			wait = every
		} else {
			wait = min(2*wait, longest)
		}
	}
}

// pause waits, and reports whether there is still somebody to tell.
func (s *Sender) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// tell tells everything that may be told now, and reports whether nothing failed. A
// thread that is refused does not stand in the way of others.
func (s *Sender) tell() bool {
	keys, err := s.store.Missed(s.ctx, s.scope(), batch)
	if err != nil {
		s.failed(err)
		return false
	}
	good := true
	for _, k := range keys {
		if err := s.thread(k); err != nil {
			s.failed(err)
			good = false
		}
		if s.ctx.Err() != nil {
			return false
		}
	}
	return good
}

// failed tells of an error, unless the sender was closed.
func (s *Sender) failed(err error) {
	if s.ctx.Err() == nil {
		s.trouble(err)
	}
}

// thread tells of one thread.
func (s *Sender) thread(k threads.Key) error {
	t, err := s.store.Get(s.ctx, k)
	switch {
	case errors.Is(err, threads.ErrGone):
		return nil
	case err != nil:
		return err
	case !s.back(t.Changed):
		return nil
	}
	missed := t.Missed()
	if len(missed) == 0 {
		return nil
	}
	id, body, err := compose(t, missed)
	if err != nil {
		return err
	}
	if err := s.to.post(s.ctx, id, body); err != nil {
		return err
	}
	return s.told(k, missed)
}

// told notes what was told.
func (s *Sender) told(k threads.Key, items []threads.Item) error {
	err := s.store.Update(s.ctx, k, func(t *threads.Thread) error {
		for _, i := range items {
			if at := t.Find(i.ID); at >= 0 {
				t.Items[at].Missed = false
				t.Items[at].Said = t.Items[at].Said && t.Own() || t.Spoken > 0
			}
		}
		return nil
	})
	if errors.Is(err, threads.ErrGone) {
		return nil
	}
	return err
}
