package relay

import (
	"context"
	"sync"
	"time"
)

// clock limits the wait for the header of a response. While an unbuffered body is
// uploaded it restarts with every read from the client, and it records which side
// it is waiting for, so that a slow client is not blamed on the backend.
type clock struct {
	limit     time.Duration
	cancel    context.CancelCauseFunc
	interrupt func() // ends a read from the client, nil: nothing does
	uploaded  func() // told when all of a body that was not kept is there

	mu        sync.Mutex
	timer     *time.Timer
	upload    bool  // it waits for the client
	stopped   bool  // it does not wait any more
	expired   bool  // it has canceled the attempt
	sending   bool  // the body is on its way, and not at its end
	clientErr error // what the client has done
}

func newClock(limit time.Duration, cancel context.CancelCauseFunc, interrupt func()) *clock {
	return &clock{limit: limit, cancel: cancel, interrupt: interrupt}
}

// start begins to wait for the backend.
func (c *clock) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(c.limit, c.expire)
}

// turn begins to wait for the client, or again for the backend.
func (c *clock) turn(upload bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.upload = upload
	if !c.stopped {
		c.timer.Reset(c.limit)
	}
}

// expire ends an attempt that has taken too long. A read from the client is ended
// too: net/http waits for it even when the attempt is canceled.
func (c *clock) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.stopped, c.expired = true, true
	if c.upload {
		c.clientErr = ErrStalled
		if c.interrupt != nil {
			c.interrupt()
		}
	}
	c.cancel(context.DeadlineExceeded)
}

// stop ends the wait and reports whether that was in time.
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
	if c.clientErr == nil {
		c.clientErr = err
	}
}

// sends notes that a part of the body is sent, and whether there is more.
func (c *clock) sends(more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sending = more
}

// midway reports whether an attempt that failed did so within the body: not by
// running out of time.
func (c *clock) midway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sending && !c.expired
}

// fault returns what the client did to end the attempt, nil if nothing.
func (c *clock) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clientErr
}
