package turn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Errors of a client's Read.
var (
	// ErrSlow is the error of a client that was dropped because it is too slow.
	ErrSlow = errors.New("the client is too slow")
	// ErrLeft is the error of a client that has left. A proxy takes it for the
	// client's own, which [context.Canceled] is.
	ErrLeft = fmt.Errorf("the client has left: %w", context.Canceled)
)

// Client is one reader of a turn: the body of an answer. It is for one goroutine.
type Client struct {
	t      *Turn
	frame  string
	owner  bool
	passes bool // the answer is not a turn
	how    func(lost func()) Leaving
	once   sync.Once
	stop   func() bool // to watch the client's context

	arrived func() bool // nil: nobody knows

	// Under the turn's lock.
	pos  int64     // what it has read
	away time.Time // since when it reads nothing, zero while it does
	gone bool
	cut  bool // its connection is lost
	read bool // to the end
	err  error
}

// Answer returns the answer that the client reads, nil where nobody gave one. Value
// is who gave it.
func (c *Client) Answer() *Answer {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.answer.Answer
}

// Passes reports whether the answer is no turn, but passed on as it came.
func (c *Client) Passes() bool { return c.passes }

// Attached reports whether somebody else has begun the turn.
func (c *Client) Attached() bool { return !c.owner }

// Observer returns the observer of the turn: that of the request that has begun it.
func (c *Client) Observer() Observer { return c.t.r.Observer }

// Ended returns how the turn ended, with the error of its stream, and "" while it
// runs.
func (c *Client) Ended() (End, error) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.end, c.t.cause
}

// Read reads the turn from its beginning, and follows it. It ends with [io.EOF]
// behind the turn's last frame, however that came about. Once the client has left
// it returns an error, but not before the backend's next frame if it waits for that.
func (c *Client) Read(p []byte) (n int, err error) {
	t := c.t
	if c.passes {
		return t.answer.Body.Read(p)
	}
	t.mu.Lock()
	defer t.unlock()
	c.away = time.Time{}
	defer func() { c.away = time.Now() }()
	for {
		switch {
		case c.err != nil:
			return 0, c.err
		case len(p) == 0:
			return 0, nil
		case c.pos < t.tape.end:
			n = t.tape.read(c.pos, p)
			c.pos += int64(n)
			t.trim()
			return n, nil
		case t.over:
			c.readAll()
			return 0, io.EOF
		case t.answer.reading:
			t.wait()
		default:
			t.advance()
		}
	}
}

// buffers are for [Client.CopyTo].
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// CopyTo writes the turn to w, and calls flush after each write. Its error is that of
// w, flush or [Client.Read].
func (c *Client) CopyTo(w io.Writer, flush func() error) error {
	b, _ := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	for {
		n, err := c.Read(b[:])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if _, err = w.Write(b[:n]); err != nil {
			return err
		}
		if err = flush(); err != nil {
			return err
		}
	}
}

// Close says that the client does not read any more. It may be called more than
// once.
func (c *Client) Close() error {
	c.stop()
	c.leave()
	c.t.mu.Lock()
	defer c.t.unlock()
	if c.owner && c.t.end == Passed {
		c.t.closeAnswer()
	}
	return nil
}

// leave is called when the client has left, by its context or by Close.
func (c *Client) leave() {
	c.once.Do(func() {
		how := Unknown
		if c.how != nil && !c.done() {
			how = c.how(c.lost)
		}
		c.t.leave(c, how)
	})
}

// done reports whether the client has read everything.
func (c *Client) done() bool {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.read
}

// lost says that the connection of a client is lost that had only stopped the turn,
// as it seemed.
func (c *Client) lost() {
	c.t.mu.Lock()
	defer c.t.unlock()
	c.cut = true
	if c.t.leaver == c {
		c.t.finishUnread()
	}
}

// detach takes a client away from its turn that has not left.
func (c *Client) detach() {
	if c.stop() {
		c.once.Do(func() { c.t.leave(c, Unknown) })
	}
}
