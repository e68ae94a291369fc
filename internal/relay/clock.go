package relay

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errStalled is the fault of a client that pauses too long within its body.
var errStalled = errors.New("the client sent nothing for too long")

// clock limits how long the header of an answer is waited for. While a body is
// on its way that was not kept, it starts anew with all that the client sends,
// and knows who is waited for: a slow client says nothing about the backend.
type clock struct {
	limit  time.Duration
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	timer    *time.Timer
	upload   bool  // the client is waited for
	stopped  bool  // nobody is waited for any more
	expired  bool  // it has canceled the attempt
	cliently error // what the client has done
}

func newClock(limit time.Duration, cancel context.CancelCauseFunc) *clock {
	return &clock{limit: limit, cancel: cancel}
}

// start begins to wait for the backend.
func (c *clock) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(c.limit, c.expire)
}

// turn begins to wait for the client, or for the backend again.
func (c *clock) turn(upload bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.upload = upload
	if !c.stopped {
		c.timer.Reset(c.limit)
	}
}

// expire ends an attempt that has taken too long.
func (c *clock) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.stopped, c.expired = true, true
	if c.upload {
		c.cliently = errStalled
	}
	c.cancel(context.DeadlineExceeded)
}

// stop ends the waiting and tells whether that was in time.
func (c *clock) stop() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.timer.Stop()
	return !c.expired
}

// blame notes that the client's part of the request broke off.
func (c *clock) blame(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cliently = err
}

// fault is what the client has done to end the exchange, nil if nothing.
func (c *clock) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cliently
}
