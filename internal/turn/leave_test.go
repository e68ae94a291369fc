package turn_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// parts are the frames of a turn.
var parts = []string{user, options, added, update, update, update, update, update, update, done}

// A client is lost at any frame: with finish the backend's stream is read to its
// end and never canceled, with cancel it is canceled at once, as without us.
func TestLostAtEveryFrame(t *testing.T) {
	for lost := range len(parts) + 1 {
		each(t, func(s *site) {
			c := s.open(s.request())
			b := s.streams[0]
			for i, part := range parts {
				if i == lost {
					c.leave(turn.Lost)
				}
				b.send(part)
				sleep(time.Second)
			}
			if lost == len(parts) {
				c.leave(turn.Lost)
			}
			if b.ctx.Err() != nil {
				t.Errorf("lost at frame %d: canceled", lost)
			}
			b.send(io.EOF)
			<-c.over
			synctest.Wait()
			if all, waiting := s.Len(); all != 1 || waiting != 1 {
				t.Errorf("lost at frame %d: %d turns, %d waiting", lost, all, waiting)
			}
			want := []string{"begun", "first token after 2s", "ok, unread"}
			s.saw(want...)
		})
		each(t, func(s *site) {
			r := s.request()
			r.Finish = 0
			c := s.open(r)
			for _, part := range parts[:lost] {
				s.streams[0].send(part)
			}
			c.leave(turn.Lost)
			<-c.over
			if got := c.got.String(); got != strings.Join(parts[:lost], "") {
				t.Errorf("the client got %s", got)
			}
			if s.streams[0].ctx.Err() == nil || !s.streams[0].closed {
				t.Errorf("lost at frame %d: not canceled", lost)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if last := s.observed[len(s.observed)-1]; last != "canceled" {
				t.Errorf("observed %v", s.observed)
			}
		})
	}
}

// A turn that nobody reads goes on for a time, and for a number of bytes.
func TestFinishIsBounded(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.request())
		s.streams[0].send(added)
		c.leave(turn.Unknown)
		for range 119 {
			sleep(time.Second)
			s.streams[0].send(update)
		}
		if s.streams[0].ctx.Err() != nil {
			t.Error("canceled too early")
		}
		sleep(time.Second)
		synctest.Wait()
		if s.streams[0].ctx.Err() == nil || !s.streams[0].closed {
			t.Error("not canceled")
		}
		s.saw("begun", "first token after 0s", "canceled")
		s.judgements([]turn.End{turn.OK}, []turn.End{""})
	})
	each(t, func(s *site) {
		r := s.request()
		r.Ask = s.endlessly
		ctx, cancel := context.WithCancel(s.Context())
		c, err := s.Do(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		for !s.idle() {
			sleep(time.Millisecond)
		}
		c.Close()
		s.saw("begun", "first token after 0s", "canceled")
	})
}

// What a client did to end a turn, and what becomes of it.
func TestStop(t *testing.T) {
	const after = 4 * time.Second
	for _, tt := range []struct {
		name  string
		then  func(s *site, c *reader)
		stops time.Duration // after it was stopped, 0 for not at all
	}{
		{"stopped", func(*site, *reader) {}, 5 * time.Second},
		{"the connection is lost after all", func(_ *site, c *reader) { c.lost() }, after + 2*time.Minute},
		{"a page of the caller's is loaded", func(s *site, _ *reader) { s.Loads("/chatkit", "alice", "f2") }, after + 2*time.Minute},
		{"the page itself asks", func(s *site, _ *reader) { s.Loads("/chatkit", "alice", "f1") }, 5 * time.Second},
		{"a page of another caller's", func(s *site, _ *reader) { s.Loads("/chatkit", "bob", "f2") }, 5 * time.Second},
		{"a page of another route", func(s *site, _ *reader) { s.Loads("/other", "alice", "f2") }, 5 * time.Second},
		{"the message comes again", func(s *site, _ *reader) { s.open(s.request()) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				c := s.open(s.request())
				s.streams[0].send(added)
				c.leave(turn.Stopped)
				s.streams[0].send(update)
				<-c.over
				sleep(after)
				tt.then(s, c)
				if wait := tt.stops; wait > 0 {
					sleep(wait - after - time.Millisecond)
					if s.streams[0].ctx.Err() != nil {
						t.Error("canceled too early")
					}
					sleep(time.Millisecond)
				} else {
					sleep(time.Hour)
				}
				synctest.Wait()
				if canceled := s.streams[0].ctx.Err() != nil; canceled != (tt.stops > 0) {
					t.Errorf("canceled is %t", canceled)
				}
				s.calls(1)
			})
		})
	}
}

// A turn that was not meant to be stopped has its time to finish, once.
func TestLoadsTwice(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.request())
		s.streams[0].send(added)
		c.leave(turn.Stopped)
		s.Loads("/chatkit", "alice", "f2")
		sleep(time.Minute)
		s.Loads("/chatkit", "alice", "f3")
		sleep(time.Minute)
		s.saw("begun", "first token after 0s", "canceled")
		<-c.over
	})
}

// A stop is honored at once where nothing else is to be finished, and also while the
// backend has not answered.
func TestStopEarly(t *testing.T) {
	each(t, func(s *site) {
		r := s.request()
		r.Finish = time.Second // less than the grace
		c := s.open(r)
		s.streams[0].send(added)
		c.leave(turn.Stopped)
		sleep(time.Second)
		s.saw("begun", "first token after 0s", "canceled")
		<-c.over
	})
	for how, want := range map[turn.Leaving]time.Duration{
		turn.Stopped: 5 * time.Second, turn.Lost: 2 * time.Minute, turn.Unknown: 2 * time.Minute,
	} {
		each(t, func(s *site) {
			began := time.Now()
			r := s.request()
			r.Ask = s.hang
			c := s.open(r)
			c.leave(how)
			<-c.over
			if d := time.Since(began); d != 0 {
				t.Errorf("the client was kept for %s", d)
			}
			for !s.idle() {
				sleep(time.Second)
			}
			if d := time.Since(began); d != want {
				t.Errorf("%v: over after %s, want %s", how, d, want)
			}
		})
	}
}

// The last client's way to leave decides, and each time anew.
func TestTheLastOneDecides(t *testing.T) {
	each(t, func(s *site) {
		one, two := s.open(s.request()), s.open(s.request())
		s.streams[0].send(added)
		one.leave(turn.Stopped)
		sleep(time.Minute)
		two.leave(turn.Lost)
		sleep(119 * time.Second)
		three := s.open(s.request())
		sleep(time.Hour)
		three.leave(turn.Stopped)
		sleep(4 * time.Second)
		one.lost() // it was not the last
		s.streams[0].send(update)
		if s.streams[0].ctx.Err() != nil {
			t.Error("canceled too early")
		}
		sleep(time.Second)
		synctest.Wait()
		if s.streams[0].ctx.Err() == nil {
			t.Error("not canceled")
		}
		s.calls(1)
		s.saw("begun", "first token after 0s", "attached", "attached", "canceled")
	})
}

// A client that closes without having read everything has left.
func TestCloseEarly(t *testing.T) {
	each(t, func(s *site) {
		asked := 0
		r := s.request()
		r.Left = func(func()) turn.Leaving { asked++; return turn.Stopped }
		c, err := s.Do(s.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		s.streams[0].send(added)
		if n, err := c.Read(make([]byte, 7)); n != 7 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		c.Close()
		c.Close()
		if _, err := c.Read(make([]byte, 7)); !errors.Is(err, turn.ErrLeft) {
			t.Errorf("read after it: %v", err)
		}
		sleep(turn.Grace)
		s.saw("begun", "first token after 0s", "canceled")
		if asked != 1 {
			t.Errorf("asked %d times how it left", asked)
		}
	})
}

// Who has read everything has not left: nobody is asked how.
func TestCloseAtTheEnd(t *testing.T) {
	each(t, func(s *site) {
		r := s.request()
		r.Left = func(func()) turn.Leaving { t.Error("asked"); return turn.Lost }
		c, err := s.Do(s.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		s.streams[0].send(whole, io.EOF)
		if got, err := io.ReadAll(c); string(got) != whole || err != nil {
			t.Errorf("got %s, %v", got, err)
		}
		c.Close()
		s.saw("begun", "first token after 0s", "ok")
	})
}

// A client is lost before the backend has answered: the answer is read to its end all
// the same.
func TestLostBeforeTheAnswer(t *testing.T) {
	each(t, func(s *site) {
		s.answer = func(int) (*turn.Answer, error) {
			time.Sleep(time.Minute)
			return &turn.Answer{}, nil
		}
		c := s.open(s.request())
		c.leave(turn.Lost)
		<-c.over
		sleep(time.Minute)
		s.streams[0].send(whole, io.EOF)
		s.saw("begun", "first token after 1m0s", "ok, unread")
		s.open(s.request()).ends(whole)
		s.calls(1)
	})
}

// Whoever asks for a turn is told once that nobody is asked any more: not when the
// client is lost while the backend is asked, but also where no turn is begun.
func TestSettled(t *testing.T) {
	each(t, func(s *site) {
		var settled atomic.Int32
		request := func() *turn.Request {
			r := s.request()
			r.Settled, r.Parallel = func() { settled.Add(1) }, 1
			return r
		}
		s.answer = func(int) (*turn.Answer, error) {
			time.Sleep(time.Minute)
			if settled.Load() != 0 {
				t.Error("settled while the backend is asked")
			}
			return &turn.Answer{}, nil
		}
		c := s.open(request())
		other := request()
		other.Key = turn.Key{}
		s.refused(other, "parallel", busy)
		if settled.Load() != 1 {
			t.Errorf("a refused one was settled %d times, want 1", settled.Load())
		}
		settled.Store(0)
		c.leave(turn.Lost)
		<-c.over
		sleep(time.Minute)
		if settled.Load() != 1 {
			t.Errorf("settled %d times, want 1", settled.Load())
		}
		s.streams[0].send(whole, io.EOF)
		s.open(request()).ends(whole)
		s.calls(1)
		if settled.Load() != 2 {
			t.Errorf("with one that attached settled %d times, want 2", settled.Load())
		}
		s.Close()
		if _, err := s.Do(t.Context(), request()); !errors.Is(err, turn.ErrClosed) || settled.Load() != 3 {
			t.Errorf("got %v, and settled %d times, want 3", err, settled.Load())
		}
	})
}

// An answer that comes when the turn is over is dropped, and is nobody's fault.
func TestAnswerTooLate(t *testing.T) {
	each(t, func(s *site) {
		s.answer = func(int) (*turn.Answer, error) {
			time.Sleep(time.Hour)
			return &turn.Answer{}, nil
		}
		r := s.request()
		r.Finish = 0
		c := s.open(r)
		c.leave(turn.Lost)
		<-c.over
		s.saw("begun", "canceled")
		sleep(time.Hour)
		s.judgements([]turn.End{turn.Canceled}, []turn.End{""})
		if !s.streams[0].closed || s.streams[0].ctx.Err() == nil {
			t.Error("the answer goes on")
		}
	})
}
