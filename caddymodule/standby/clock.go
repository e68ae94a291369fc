package standby

import (
	"context"
	"sync"
	"time"
)

// clock is the context of an answer. It is done when the stand-in lets its time limit
// pass between two texts, and when the whole answer takes too long.
type clock struct {
	context.Context //nolint:containedctx // it is one

	cancel context.CancelFunc
	limit  time.Duration
	end    time.Time // of the whole answer

	mu    sync.Mutex
	until time.Time // of the wait for the first text, zero after it
	timer *time.Timer
}

func newClock(ctx context.Context, limit time.Duration) *clock {
	now := time.Now()
	c := &clock{limit: limit, end: now.Add(longest), until: now.Add(limit)}
	c.Context, c.cancel = context.WithCancel(ctx)
	c.timer = time.AfterFunc(limit, c.cancel)
	return c
}

// Deadline implements [context.Context]. Until the first text it is the end of the wait
// for that, which tells how long a client that leaves has waited.
func (c *clock) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		return c.until, true
	}
	return c.Context.Deadline()
}

// pause stops the clock while a text is on its way to the client. It returns an error
// where the time is over.
func (c *clock) pause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.until = time.Time{}
	return c.Err()
}

// resume waits for the next text.
func (c *clock) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Reset(min(c.limit, time.Until(c.end)))
}

func (c *clock) stop() {
	c.timer.Stop()
	c.cancel()
}
