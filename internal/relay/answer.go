package relay

import (
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

	body *answerBody // nil for an upgraded connection
}

// Idle tells whether the answer was ended because it paused too long.
func (a *Answer) Idle() bool { return a.body != nil && a.body.expired.Load() }

// commit returns the answer that is passed on. Its body ends when it pauses too
// long, and takes the attempt's context with it when it is closed.
func (e *exchange) commit(resp *http.Response, idle time.Duration) *Answer {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return &Answer{Response: resp} // a connection: its ends close it, and it may be quiet
	}
	b := &answerBody{ReadCloser: resp.Body, e: e, idle: idle}
	b.timer = time.AfterFunc(idle, b.expire)
	resp.Body = b
	return &Answer{Response: resp, body: b}
}

// answerBody is the body of an answer on its way.
type answerBody struct {
	io.ReadCloser

	e       *exchange
	idle    time.Duration
	timer   *time.Timer
	expired atomic.Bool
}

// expire ends an answer that has paused too long.
func (b *answerBody) expire() {
	b.expired.Store(true)
	b.e.cancel(ErrIdle)
}

// Read implements [io.Reader].
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && b.expired.Load() {
		err = ErrIdle
	}
	if n > 0 && err == nil {
		b.timer.Reset(b.idle)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *answerBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.e.cancel(nil)
	return err
}
