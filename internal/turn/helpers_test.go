package turn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The frames of a turn, and those that end one that broke.
const (
	user    = `data: {"type":"thread.item.done","item":{"id":"u","type":"user_message"}}` + "\n\n"
	options = `data: {"type":"stream_options","stream_options":{"allow_cancel":true}}` + "\n\n"
	added   = `data: {"type":"thread.item.added","item":{"id":"a","type":"assistant_message"}}` + "\n\n"
	update  = `data: {"type":"thread.item.updated","item_id":"a","update":{"delta":"Hello"}}` + "\n\n"
	done    = `data: {"type":"thread.item.done","item":{"id":"a","type":"assistant_message"}}` + "\n\n"
	notice  = `data: {"type":"notice","level":"info","message":"Hi"}` + "\n\n"

	whole = user + options + added + update + done

	broken  = `data: {"type":"error","code":"stream.error","allow_retry":true}` + "\n\n"
	unknown = `data: {"type":"error","code":"custom","message":"This conversation could not be found.","allow_retry":false}` + "\n\n"
)

// site is a set of turns with a backend behind it, in a bubble of synctest.
type site struct {
	*testing.T
	*turn.Turns

	mu       sync.Mutex
	streams  []*stream  // one for each time the backend was asked
	asked    []turn.End // why
	judged   []turn.End // of the answers
	observed []string

	more   int                               // answers that say that there is more
	answer func(n int) (*turn.Answer, error) // nil: the stream
}

// each runs a test in a bubble.
func each(t *testing.T, test func(s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { run(t, turn.New(), test) })
}

func run(t *testing.T, turns *turn.Turns, test func(s *site)) {
	t.Helper()
	s := &site{T: t, Turns: turns}
	test(s)
	s.Close()
	if all, _ := s.Len(); all != 0 {
		t.Errorf("%d turns at the end", all)
	}
	synctest.Wait()
	if kept := s.Kept(); kept != 0 {
		t.Errorf("%d bytes at the end", kept)
	}
	for i, b := range s.streams {
		if !b.closed {
			t.Errorf("stream %d is not closed", i)
		}
	}
}

// stream is a backend's answer. Its parts are what [stream.send] is given.
type stream struct {
	ctx    context.Context
	parts  chan any
	rest   string
	closed bool
}

func (b *stream) Read(p []byte) (int, error) {
	for b.rest == "" {
		select {
		case part := <-b.parts:
			switch part := part.(type) {
			case error:
				return 0, part
			case string:
				b.rest = part
			}
		case <-b.ctx.Done():
			return 0, context.Cause(b.ctx)
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *stream) Close() error {
	b.closed = true
	return nil
}

// send lets the backend send some frames, and returns when they are read.
func (b *stream) send(parts ...any) {
	for _, part := range parts {
		b.parts <- part
	}
	synctest.Wait()
}

// ask is the request's Ask.
func (s *site) ask(ctx context.Context, last turn.End) (*turn.Answer, error) {
	b := &stream{ctx: ctx, parts: make(chan any, 1000)}
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, last)
	s.mu.Unlock()
	a := &turn.Answer{}
	if s.answer != nil {
		var err error
		if a, err = s.answer(n); err != nil {
			return nil, err
		}
	}
	if a.Body == nil {
		a.Body = b
		s.mu.Lock()
		s.streams = append(s.streams, b)
		s.mu.Unlock()
	}
	a.More = n < s.more
	a.Judge = func(e turn.End, _ error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.judged = append(s.judged, e)
	}
	return a, nil
}

// The methods of [turn.Observer].
func (s *site) Begun()                     { s.note("begun") }
func (s *site) FirstToken(d time.Duration) { s.note("first token after %s", d) }
func (s *site) Accepted(thread string)     { s.note("accepted %s", thread) }
func (s *site) Attached()                  { s.note("attached") }
func (s *site) Ended(e turn.End, _ error, unread bool) {
	if unread {
		s.note("%s, unread", e)
		return
	}
	s.note("%s", e)
}

func (s *site) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observed = append(s.observed, fmt.Sprintf(format, args...))
}

// saw checks what the observer was told, in any order.
func (s *site) saw(want ...string) {
	s.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := slices.Sorted(slices.Values(s.observed))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("observed %q, want %q", got, want)
	}
}

// calls checks how often the backend was asked.
func (s *site) calls(want int) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) != want {
		s.Errorf("the backend was asked %d times, want %d", len(s.asked), want)
	}
}

// request is a request for a turn with the default options.
func (s *site) request() *turn.Request {
	r := &turn.Request{
		Asker:   turn.Asker{Scope: "/chatkit", Caller: "alice", Frame: "f1"},
		Options: turn.Options{Finish: 2 * time.Minute, Attach: true},
		Ask:     s.ask, Observer: s,
	}
	r.Key = r.KeyOf([]byte("Hi"))
	return r
}

// reader is a client that reads.
type reader struct {
	s      *site
	cancel context.CancelFunc
	how    turn.Leaving
	lost   func()
	over   chan struct{}

	client *turn.Client
	err    error
	got    output
}

// open lets a client ask for a turn and read it.
func (s *site) open(r *turn.Request) *reader { return s.start(r, nil) }

func (s *site) start(r *turn.Request, stuck chan struct{}) *reader {
	ctx, cancel := context.WithCancel(s.Context())
	c := &reader{s: s, cancel: cancel, over: make(chan struct{})}
	c.got.stuck = stuck
	r.Left = func(lost func()) turn.Leaving { c.lost = lost; return c.how }
	go func() {
		defer close(c.over)
		if c.client, c.err = s.Do(ctx, r); c.err == nil {
			c.err = c.client.CopyTo(&c.got, func() error { return ctx.Err() })
			c.client.Close()
		}
	}()
	synctest.Wait()
	return c
}

// output is what a client has read.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	stuck chan struct{} // if not nil, the client does not read on before it is closed
}

// Write takes what the client reads.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.text.Write(p)
	stuck := o.stuck
	o.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	return len(p), nil
}

// stick lets the client get stuck with the next frame.
func (o *output) stick(stuck chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stuck = stuck
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) Len() int { return len(o.String()) }

// leave takes the client away.
func (c *reader) leave(how turn.Leaving) {
	c.how = how
	c.cancel()
	synctest.Wait()
}

// ends waits until the client is through, and checks what it got.
func (c *reader) ends(want string) {
	c.s.Helper()
	<-c.over
	c.cancel()
	if c.err != nil {
		c.s.Errorf("the client got %v", c.err)
	}
	if got := c.got.String(); got != want {
		c.s.Errorf("the client got\n%s\nwant\n%s", got, want)
	}
}

// has checks what the client has got so far.
func (c *reader) has(want string) {
	c.s.Helper()
	synctest.Wait()
	if got := c.got.String(); got != want {
		c.s.Errorf("the client has\n%s\nwant\n%s", got, want)
	}
}

var errReset = errors.New("connection reset by peer")

// endless is a stream of frames without an end.
type endless struct{ ctx context.Context }

func (e endless) Read(p []byte) (int, error) {
	if e.ctx.Err() != nil {
		return 0, context.Cause(e.ctx)
	}
	n := len(p) / len(update)
	return copy(p, strings.Repeat(update, n)), nil
}

func (endless) Close() error { return nil }

var _ io.ReadCloser = endless{}

// endlessly is an Ask whose stream does not end.
func (s *site) endlessly(ctx context.Context, _ turn.End) (*turn.Answer, error) {
	return &turn.Answer{Body: endless{ctx}}, nil
}

// hang is an Ask that gets no answer.
func (s *site) hang(ctx context.Context, _ turn.End) (*turn.Answer, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// idle reports whether there is no turn.
func (s *site) idle() bool {
	synctest.Wait()
	all, _ := s.Len()
	return all == 0
}

// sleep waits until everything has happened that does in some time.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
