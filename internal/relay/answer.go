package relay

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
)

// Answer is the answer that is passed on.
type Answer struct {
	*http.Response

	// Link is the target that took the request.
	Link *chain.Link

	// Trail holds the targets before it that were asked or skipped, in order.
	Trail []chain.Step

	body   *answerBody // nil for an upgraded connection
	socket *socket     // nil for anything else
}

// Idle tells whether the answer was ended because it paused too long.
func (a *Answer) Idle() bool { return a.body != nil && a.body.idled.Load() }

// commit returns the answer that is passed on. Its body ends when it pauses too
// long, and takes the attempt's context with it when it is closed.
func (e *exchange) commit(resp *http.Response, idle time.Duration) *Answer {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return upgraded(resp)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	b := &answerBody{ReadCloser: resp.Body, idle: idle, cancel: e.cancel}
	b.timer = time.AfterFunc(idle, b.expire)
	b.timer.Stop()
	resp.Body = b
	return &Answer{Response: resp, body: b}
}

// upgraded is the answer that is a connection: its ends close it, and it may be
// quiet. How it ends is watched where it can be.
func upgraded(resp *http.Response) *Answer {
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		return &Answer{Response: resp}
	}
	s := &socket{ReadWriteCloser: conn}
	resp.Body = s
	return &Answer{Response: resp, socket: s}
}

// answerBody is the body of an answer on its way. Its timer runs only while a
// read waits for the backend: what a slow client takes is no pause of the answer.
type answerBody struct {
	io.ReadCloser

	idle    time.Duration
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	reading atomic.Bool // a read waits, and has not been given up
	cut     bool        // one has been given up
	idled   atomic.Bool // and that ended the answer
}

// expire ends an answer that has paused too long, unless its read is over just now.
func (b *answerBody) expire() {
	if b.reading.CompareAndSwap(true, false) {
		b.cancel(ErrIdle)
	}
}

// Read implements [io.Reader].
func (b *answerBody) Read(p []byte) (int, error) {
	b.reading.Store(true)
	b.timer.Reset(b.idle)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if !b.reading.CompareAndSwap(true, false) {
		b.cut = true
	}
	if b.cut && err != nil && err != io.EOF {
		b.idled.Store(true)
		err = ErrIdle
	}
	return n, err
}

// Close implements [io.Closer].
func (b *answerBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
