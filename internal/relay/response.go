package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// ErrIdle is the cause of an answer that was ended because it paused too long.
var ErrIdle = errors.New("the backend sent nothing for too long")

// errNotJudged is the error of a response that was held, and closed without a verdict.
var errNotJudged = errors.New("the response was closed before it was of use")

// Response is the response that is passed on.
type Response struct {
	*http.Response

	// Target is the backend that answered.
	Target *chain.Target

	// Trail holds the backends before it that were asked or skipped, in order.
	// Where the answer itself counts as a failure, it holds its backend too, and
	// those after it that were not asked or did not answer.
	Trail chain.Trail

	// Failed says that the answer counts as a failure. It is passed on because
	// there is no better one.
	Failed bool

	// Asked is when the target was asked.
	Asked time.Time

	// Closed is called when the body was closed. Nil: nothing is.
	Closed func()

	settle func(session.Verdict, error) // nil: the verdict was given
	judged sync.Once
	failed func(session.Verdict) // notes in the trail that it was not good
	body   *idleBody             // nil for an upgraded connection
	socket *socket               // nil for anything else
}

// Idle reports whether the response was ended because it paused too long.
func (r *Response) Idle() bool { return r.body != nil && r.body.idled.Load() }

// Streams reports whether the response is an event stream.
func (r *Response) Streams() bool { return IsEventStream(r.Header) }

// IsEventStream reports whether a header is that of an event stream.
func IsEventStream(h http.Header) bool {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(t), "text/event-stream")
}

// Judge gives the verdict on a response that was held: [session.OK], or why it is of
// no use; [session.Canceled] says nothing about the backend. It does nothing where
// the verdict was given.
func (r *Response) Judge(reason session.Reason, err error) {
	if r.settle != nil {
		r.judged.Do(func() { r.judge(reason, err) })
	}
}

func (r *Response) judge(reason session.Reason, err error) {
	v := session.Verdict{Reason: reason, Effect: session.Failed, Next: true}
	if reason == session.Canceled {
		v.Effect, v.Next = session.Excluded, false
	}
	if reason == session.OK {
		v, err = session.Verdict{Effect: session.Success}, nil
	}
	r.settle(v, err)
	if reason != session.OK {
		r.failed(v)
	}
}

// accept returns the response that is passed on. Its body ends when it pauses too
// long, and closing it ends the attempt's context.
func (a *attempt) accept(resp *http.Response, idle time.Duration) *Response {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return upgraded(resp)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	r := &Response{Response: resp}
	r.body = &idleBody{ReadCloser: resp.Body, idle: idle, cancel: a.cancel, r: r}
	r.body.timer = time.AfterFunc(idle, r.body.expire)
	r.body.timer.Stop()
	resp.Body = r.body
	return r
}

// upgraded returns the response that is a connection. Closing it ends it, and it
// may be quiet. How it ends is watched where that is possible.
func upgraded(resp *http.Response) *Response {
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		return &Response{Response: resp}
	}
	s := &socket{ReadWriteCloser: conn}
	resp.Body = s
	return &Response{Response: resp, socket: s}
}

// idleBody is the body of a response on its way. Its timer runs only while a read
// waits for the backend: the time of a slow client is not a pause of the response.
type idleBody struct {
	io.ReadCloser

	r       *Response
	idle    time.Duration
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	reading atomic.Bool // a read waits, and was not given up
	cut     bool        // a read was given up
	idled   atomic.Bool // and that ended the response
}

// expire ends a response that has paused too long, unless its read ends just now.
func (b *idleBody) expire() {
	if b.reading.CompareAndSwap(true, false) {
		b.cancel(ErrIdle)
	}
}

// Read implements [io.Reader].
func (b *idleBody) Read(p []byte) (int, error) {
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
func (b *idleBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	b.r.Judge(session.Canceled, errNotJudged)
	if b.r.Closed != nil {
		b.r.Closed()
	}
	return err
}
