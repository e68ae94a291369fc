package turn_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

const failure = `data: {"type":"error","code":"custom","message":"Sorry.","allow_retry":true}` + "\n\n"

// Every way in which a stream ends: what the client gets last, and what it counts
// as.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		thread string
		parts  []any
		want   string
		end    turn.End
		judged turn.End
	}{
		{"well", "", []any{whole, io.EOF}, whole, turn.OK, turn.OK},
		{"well, without content", "", []any{user, options, io.EOF}, user + options, turn.OK, turn.OK},
		{"well, in pieces", "", []any{whole[:10], whole[10:200], whole[200:], io.EOF}, whole, turn.OK, turn.OK},
		{"well, without the last blank line", "", []any{strings.TrimRight(whole, "\n"), io.EOF}, whole, turn.OK, turn.OK},
		{"the backend's own error", "t", []any{user, options, failure, io.EOF}, user + options + failure, turn.Error, turn.OK},
		{"its own error, and then a reset", "", []any{added, failure, errReset}, added + failure, turn.Error, turn.OK},
		{"its own error, without the last blank line", "", []any{added, strings.TrimRight(failure, "\n"), io.EOF}, added + failure, turn.Error, turn.OK},
		{"an error that was not the end", "", []any{added, failure, update, io.EOF}, added + failure + update + broken, turn.Unfinished, turn.OK},
		{"a cut between frames", "", []any{user, added, io.ErrUnexpectedEOF}, user + added + broken, turn.Cut, turn.OK},
		{"a cut within a frame", "", []any{user, added, update[:30], io.ErrUnexpectedEOF}, user + added + broken, turn.Cut, turn.OK},
		{"an end within a frame", "", []any{user, done[:30], io.EOF}, user + broken, turn.Cut, turn.Cut},
		{"a reset", "", []any{user, added, update[:30], errReset}, user + added + broken, turn.Reset, turn.OK},
		{"a reset before the first frame", "t", []any{errReset}, broken, turn.Reset, turn.Reset},
		{"a pause", "", []any{user, turn.ErrIdle}, user + broken, turn.Idle, turn.Idle},
		{"nothing", "", []any{io.EOF}, broken, turn.Empty, turn.Empty},
		{"comments only", "", []any{": ping\n\n", io.EOF}, ": ping\n\n" + broken, turn.Empty, turn.Empty},
		{"nothing, of a thread", "t", []any{io.EOF}, unknown, turn.UnknownThread, turn.UnknownThread},
		{"an item that is not done", "", []any{user, added, update, io.EOF}, user + added + update + broken, turn.Unfinished, turn.OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				r := s.request()
				r.Thread = tt.thread
				c := s.open(r)
				s.streams[0].send(tt.parts...)
				c.ends(tt.want)
				want := []string{"begun", string(tt.end)}
				if tt.judged == turn.OK && tt.want != user+options {
					want = append(want, "first token after 0s")
				}
				if tt.thread != "" && strings.HasPrefix(tt.want, user) {
					want = append(want, "accepted "+tt.thread)
				}
				s.saw(want...)
				s.calls(1)
				if len(s.judged) != 1 || s.judged[0] != tt.judged {
					t.Errorf("judged %v, want %s", s.judged, tt.judged)
				}
				if all, _ := s.Len(); all != 0 {
					t.Errorf("%d turns are left", all)
				}
			})
		})
	}
}

// Nobody answers: the client gets an error event, in the words of who knows why.
func TestUnanswered(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"no words", errors.New("no backend"), broken},
		{
			"words", &turn.Unanswered{Event: chatkit.ErrorEvent{Message: "Sorry.", AllowRetry: true}, Err: errReset},
			failure,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				s.answer = func(int) (*turn.Answer, error) { return nil, tt.err }
				c := s.open(s.request())
				c.ends(tt.want)
				if c.client.Answer() != nil {
					t.Error("somebody answered")
				}
				s.saw("begun", "failed")
			})
		})
	}
}

// A panic of who is asked, or of a stream, ends the turn and nothing else; so does an
// answer that is none.
func TestPanics(t *testing.T) {
	each(t, func(s *site) {
		s.answer = func(int) (*turn.Answer, error) { panic("a bug") }
		s.open(s.request()).ends(broken)
		s.answer = func(int) (*turn.Answer, error) { return &turn.Answer{Body: io.NopCloser(bug{})}, nil }
		s.open(s.request()).ends(broken)
		r := s.request()
		r.Ask = func(context.Context, turn.End) (*turn.Answer, error) { return nil, nil }
		s.open(r).ends(broken)
		r.Ask = func(context.Context, turn.End) (*turn.Answer, error) { return &turn.Answer{}, nil }
		s.open(r).ends(broken)
		s.saw("begun", "failed", "begun", "reset", "begun", "failed", "begun", "failed")
	})
}

type bug struct{}

func (bug) Read([]byte) (int, error) { panic("a bug") }

// A frame that is too long to keep passes. If it is cut, it is ended before the
// error event.
func TestLongFrameCut(t *testing.T) {
	each(t, func(s *site) {
		long := `data: {"x":"` + strings.Repeat("x", 3<<20)
		for i, end := range []error{errReset, io.EOF} {
			c := s.open(s.request())
			s.streams[i].send(added, long, end)
			c.ends(added + long + "\n\n" + broken)
		}
		s.saw("begun", "first token after 0s", "reset", "begun", "first token after 0s", "cut")
	})
}

// An answer that is no turn passes to the client that asked for it. Who asked for
// the same at the same time asks again.
func TestPasses(t *testing.T) {
	each(t, func(s *site) {
		wait := make(chan struct{})
		s.answer = func(n int) (*turn.Answer, error) {
			<-wait
			return &turn.Answer{Body: io.NopCloser(strings.NewReader("refused")), Passes: true, Value: n}, nil
		}
		one, two := s.open(s.request()), s.open(s.request())
		s.calls(1)
		close(wait)
		one.ends("refused")
		two.ends("refused")
		s.calls(2)
		if !one.client.Passes() || !two.client.Passes() || one.client.Answer().Value == two.client.Answer().Value {
			t.Error("not each has its own answer")
		}
		s.saw("begun", "passed", "attached", "begun", "passed")
	})
}

// The body of an answer that passes is closed, whether the client is still there or
// not, and with it the context.
func TestPassesCloses(t *testing.T) {
	for _, gone := range []bool{false, true} {
		each(t, func(s *site) {
			wait := make(chan struct{})
			body := &stream{parts: make(chan any)}
			r := s.request()
			r.Ask = func(ctx context.Context, _ turn.End) (*turn.Answer, error) {
				<-wait
				body.ctx = ctx
				return &turn.Answer{Body: body, Passes: true}, nil
			}
			c := s.open(r)
			if gone {
				c.leave(turn.Lost)
			}
			close(wait)
			c.leave(turn.Lost)
			<-c.over
			if !body.closed || body.ctx.Err() == nil {
				t.Errorf("gone %t: closed %t, %v", gone, body.closed, body.ctx.Err())
			}
		})
	}
}

// A server that stops ends all turns with an error event, and takes no more.
func TestClose(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.request())
		s.streams[0].send(user, added, update[:20])
		lost := s.request()
		lost.Key = lost.KeyOf([]byte("another"))
		s.open(lost).leave(turn.Lost)
		hung := s.request()
		hung.Key = hung.KeyOf([]byte("a third"))
		s.answer = func(int) (*turn.Answer, error) { time.Sleep(time.Minute); return &turn.Answer{}, nil }
		h := s.open(hung)
		s.Close()
		c.ends(user + added + broken)
		h.ends(broken)
		if _, err := s.Do(s.Context(), s.request()); !errors.Is(err, turn.ErrClosed) {
			t.Errorf("got %v", err)
		}
		s.saw("begun", "begun", "begun", "first token after 0s", "drained", "drained", "drained")
		s.calls(3)
	})
}

// A turn that the backend has ended with an error of its own gets no second one, if
// the stream stays open until the server stops.
func TestCloseAfterAnError(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.request())
		s.streams[0].send(user, failure)
		s.Close()
		c.ends(user + failure)
	})
}

// The list of ends has them all, and only those are broken after which another
// backend may be asked.
func TestEndsAreListed(t *testing.T) {
	n := 0
	for _, e := range turn.Ends {
		if e.Broken() {
			n++
		}
	}
	if len(turn.Ends) != 13 || n != 6 {
		t.Errorf("%d ends, %d broken", len(turn.Ends), n)
	}
}
