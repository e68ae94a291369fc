package turn_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// judgements checks what was thought of the answers, and why others were asked for.
func (s *site) judgements(judged, asked []turn.End) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.judged, judged) {
		s.Errorf("judged %v, want %v", s.judged, judged)
	}
	if !slices.Equal(s.asked, asked) {
		s.Errorf("asked after %q, want %q", s.asked, asked)
	}
}

// patient is a request that waits ten seconds for content.
func (s *site) patient() *turn.Request {
	r := s.request()
	r.FirstToken = 10 * time.Second
	return r
}

// A backend that shows no content in time is left for the next. Nothing of it
// reaches the client; the frames of the next do, once and in order.
func TestFirstToken(t *testing.T) {
	each(t, func(s *site) {
		s.more = 1
		began := time.Now()
		c := s.open(s.patient())
		s.streams[0].send(user, options)
		sleep(9999 * time.Millisecond)
		c.has("")
		s.calls(1)
		sleep(time.Millisecond)
		c.has("")
		s.calls(2)
		s.streams[1].send(user, options, added)
		c.has(user + options + added)
		s.streams[1].send(update, done, io.EOF)
		c.ends(whole)
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("after %s", d)
		}
		s.judgements([]turn.End{turn.FirstToken, turn.OK}, []turn.End{"", turn.FirstToken})
		s.saw("begun", "first token after 10s", "ok")
	})
}

// Where nobody else can be asked, nothing is held; too late is the end.
func TestFirstTokenWithoutAnother(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.patient())
		s.streams[0].send(user, options)
		c.has(user + options)
		sleep(10 * time.Second)
		c.ends(user + options + broken)
		s.judgements([]turn.End{turn.FirstToken}, []turn.End{""})
		s.saw("begun", "first_token")
	})
}

// The wait begins when the backend was asked, not when its header came.
func TestFirstTokenCountsFromTheQuestion(t *testing.T) {
	each(t, func(s *site) {
		s.answer = func(int) (*turn.Answer, error) {
			asked := time.Now()
			time.Sleep(4 * time.Second)
			return &turn.Answer{Asked: asked}, nil
		}
		c := s.open(s.patient())
		began := time.Now()
		c.ends(broken)
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("after %s", d)
		}
	})
}

// How a held answer can end otherwise.
func TestHeld(t *testing.T) {
	for _, tt := range []struct {
		name   string
		thread string
		parts  []any
		want   string // "" for the second backend's
		judged []turn.End
	}{
		{"content in time", "", []any{user, added, done, io.EOF}, user + added + done, []turn.End{turn.OK}},
		{"a cut", "", []any{user, io.ErrUnexpectedEOF}, "", []turn.End{turn.Cut, turn.OK}},
		{"a reset", "", []any{errReset}, "", []turn.End{turn.Reset, turn.OK}},
		{"a pause", "", []any{user, turn.ErrIdle}, "", []turn.End{turn.Idle, turn.OK}},
		{"no frame", "", []any{io.EOF}, "", []turn.End{turn.Empty, turn.OK}},
		{"no frame, of a thread", "t", []any{io.EOF}, unknown, []turn.End{turn.UnknownThread}},
		{"no content", "", []any{user, options, io.EOF}, user + options, []turn.End{turn.OK}},
		{"an error", "", []any{user, failure, io.EOF}, user + failure, []turn.End{turn.OK}},
		{"content, and then a reset", "", []any{user, added, errReset}, user + added + broken, []turn.End{turn.OK}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				s.more = 1
				r := s.patient()
				r.Thread = tt.thread
				c := s.open(r)
				s.streams[0].send(tt.parts...)
				if tt.want == "" {
					s.streams[1].send(whole, io.EOF)
					tt.want = whole
				}
				c.ends(tt.want)
				s.judgements(tt.judged, append([]turn.End{""}, tt.judged[:len(tt.judged)-1]...))
			})
		})
	}
}

// Everybody hangs, or nobody is left after all: an error event, and the first
// answer's end is the turn's.
func TestFirstTokenOfNobody(t *testing.T) {
	each(t, func(s *site) {
		s.more = 2
		c := s.open(s.patient())
		s.streams[0].send(user)
		sleep(10 * time.Second)
		sleep(10 * time.Second)
		s.calls(3)
		s.streams[2].send(user)
		c.has(user) // the last one's are not held
		sleep(10 * time.Second)
		c.ends(user + broken)
		s.judgements([]turn.End{turn.FirstToken, turn.FirstToken, turn.FirstToken}, []turn.End{"", turn.FirstToken, turn.FirstToken})
		s.saw("begun", "first_token")
	})
	each(t, func(s *site) {
		s.more = 1
		s.answer = func(n int) (*turn.Answer, error) {
			if n > 0 {
				return nil, errors.New("all breakers are open")
			}
			return &turn.Answer{}, nil
		}
		c := s.open(s.patient())
		sleep(10 * time.Second)
		c.ends(broken)
		s.calls(2)
		s.saw("begun", "first_token")
	})
}

// The next answer may be one that passes.
func TestFirstTokenThenPasses(t *testing.T) {
	each(t, func(s *site) {
		s.more = 1
		s.answer = func(n int) (*turn.Answer, error) { return &turn.Answer{Passes: n > 0}, nil }
		c := s.open(s.patient())
		s.streams[0].send(user)
		sleep(10 * time.Second)
		s.streams[1].send("refused", io.EOF)
		c.ends("refused")
		if s.streams[0].ctx.Err() == nil {
			t.Error("the first stream goes on")
		}
	})
}

// The client is lost while frames are held: the turn goes on to the next backend
// without it, and who attaches gets everything.
func TestFirstTokenWithoutAClient(t *testing.T) {
	each(t, func(s *site) {
		s.more = 1
		c := s.open(s.patient())
		s.streams[0].send(user)
		c.leave(turn.Lost)
		<-c.over
		sleep(10 * time.Second)
		s.streams[1].send(user, options, added, update)
		again := s.open(s.patient())
		s.streams[1].send(done, io.EOF)
		again.ends(whole)
		s.calls(2)
		s.saw("begun", "first token after 10s", "attached", "ok")
	})
}

// An answer that says a lot without content is shown: holding it has an end.
func TestHeldIsBounded(t *testing.T) {
	each(t, func(s *site) {
		s.more = 1
		c := s.open(s.patient())
		all := ""
		for some := strings.Repeat(options, 50); len(all) < 256<<10; all += some {
			s.streams[0].send(some)
		}
		c.has(all)
		sleep(10 * time.Second)
		c.ends(all + broken)
		s.calls(1)
	})
}
