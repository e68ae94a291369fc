package exchange

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// maxHeader is the usual limit of a header, as in net/http.
const maxHeader = 10 << 20

// past is a deadline that ends what reads or writes.
var past = time.Unix(1, 0)

// conn is a connection with at most one exchange at a time.
type conn struct {
	net.Conn
	t     *Transport
	where place
	r     *bufio.Reader
	w     *bufio.Writer

	used    bool      // before this exchange
	wrote   bool      // in this exchange, at least one byte
	header  int64     // what is left for it, negative where there is no limit any more
	idle    time.Time // since when it waits
	limited bool      // it has a deadline
}

func newConn(t *Transport, where place, raw net.Conn) *conn {
	c := &conn{Conn: raw, t: t, where: where}
	c.r, c.w = bufio.NewReader((*reading)(c)), bufio.NewWriter((*writing)(c))
	return c
}

// reading is the connection as its reader sees it, which bounds headers.
type reading conn

// Read implements [io.Reader].
func (c *reading) Read(p []byte) (int, error) {
	if c.header == 0 {
		return 0, fmt.Errorf("net/http: server response headers exceeded %d bytes; aborted", (*conn)(c).headerLimit())
	}
	if c.header > 0 && int64(len(p)) > c.header {
		p = p[:c.header]
	}
	n, err := c.Conn.Read(p)
	if c.header > 0 {
		c.header -= int64(n)
	}
	return n, err
}

// writing is the connection as its writer sees it.
type writing conn

// Write implements [io.Writer].
func (c *writing) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote = c.wrote || n > 0
	return n, err
}

func (c *conn) headerLimit() int64 {
	if c.t.MaxHeader > 0 {
		return c.t.MaxHeader
	}
	return maxHeader
}

// exchange sends a request and reads the header of its answer. errStale says that
// nothing was sent.
func (c *conn) exchange(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	deadline, limited := ctx.Deadline()
	if limited || c.limited {
		_ = c.SetDeadline(deadline) // the zero time is none
		c.limited = limited
	}
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	}
	c.wrote, c.header = false, c.headerLimit()
	if err := c.send(r); err != nil {
		stop()
		_ = c.Close()
		if c.used && !c.wrote && ctx.Err() == nil {
			return nil, errStale
		}
		return nil, ended(ctx, err)
	}
	resp, err := c.answer(r)
	if err != nil {
		stop()
		_ = c.Close()
		return nil, ended(ctx, err)
	}
	c.header = -1
	resp.Body = newBody(ctx, c, stop, resp)
	return resp, nil
}

// earlyAnswer is how long an answer is waited for when the request could not be
// sent to its end. A server that refuses a body answers and closes.
const earlyAnswer = 50 * time.Millisecond

// send writes a request. It returns nil if the server has answered before its end.
func (c *conn) send(r *http.Request) error {
	err := r.Write(c.w)
	if err == nil {
		err = c.w.Flush()
	}
	if err == nil || !c.wrote || r.Context().Err() != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(earlyAnswer))
	if _, silent := c.r.Peek(1); silent != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	deadline, _ := r.Context().Deadline()
	_ = c.SetReadDeadline(deadline)
	return r.Context().Err() // its end may have set a deadline just before
}

// answer reads the header of the answer, past interim ones.
func (c *conn) answer(r *http.Request) (*http.Response, error) {
	if _, err := c.r.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the server closed the connection without an answer: %w", io.ErrUnexpectedEOF)
		}
		return nil, err
	}
	for {
		resp, err := http.ReadResponse(c.r, r)
		if err != nil || resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}

// reusableAfter reports whether the connection may have another exchange after an
// answer, if that is read to its end.
func (c *conn) reusableAfter(resp *http.Response) bool {
	return c.t.MaxIdle > 0 && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
}

// quiet reports whether nothing is left of an exchange. TLS may have read more from
// the system than it has handed on: alive would not see that, and the next request
// would get it for an answer.
func (c *conn) quiet() bool {
	if c.r.Buffered() > 0 || c.w.Buffered() > 0 {
		return false
	}
	if !c.where.tls {
		return true
	}
	_ = c.SetReadDeadline(past)
	c.limited = true
	_, err := c.r.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}
