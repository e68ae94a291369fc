package turn_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// next is a request for another turn of a caller's.
func (s *site) next(caller string) *turn.Request {
	r := s.request()
	r.Caller = caller
	r.Key = r.KeyOf([]byte(strings.Repeat("again ", len(s.asked))))
	r.Parallel = 2
	return r
}

// refused checks that a turn is refused.
func (s *site) refused(r *turn.Request, limit, frame string) {
	s.Helper()
	_, err := s.Do(s.Context(), r)
	refused, ok := errors.AsType[*turn.Refused](err)
	if !ok || refused.Limit != limit || string(refused.Event.Frame()) != frame {
		s.Errorf("got %v, %+v", err, refused)
	}
}

const busy = `data: {"type":"error","code":"custom","message":"Another answer is still being written. Please wait until it is complete.","allow_retry":false}` + "\n\n"

// A caller may have some turns at once. One that nobody reads does not count, nor
// one that is over; to attach is not a turn.
func TestParallel(t *testing.T) {
	each(t, func(s *site) {
		first := s.next("alice")
		one := s.open(first)
		two := s.open(s.next("alice"))
		s.refused(s.next("alice"), "parallel", busy)
		s.calls(2)
		s.open(s.next("bob"))
		elsewhere := s.next("alice")
		elsewhere.Scope = "/other"
		s.open(elsewhere)
		s.calls(4)

		again := s.open(first) // attaches
		s.calls(4)
		again.leave(turn.Lost)
		s.refused(s.next("alice"), "parallel", busy) // the first client is still there

		one.leave(turn.Lost)
		s.streams[0].send(added)
		<-one.over
		three := s.open(s.next("alice"))
		s.calls(5)
		s.refused(s.next("alice"), "parallel", busy)

		s.open(first) // a third that is read, but no new turn
		s.calls(5)
		s.streams[1].send(done, io.EOF)
		two.ends(done)
		s.refused(s.next("alice"), "parallel", busy)
		s.streams[4].send(done, io.EOF)
		three.ends(done)
		s.open(s.next("alice"))
		s.calls(6)
	})
}

// How often a caller may begin a turn is somebody else's to count; who comes too
// often is told when to come again.
func TestTurnsLimit(t *testing.T) {
	for wait, words := range map[time.Duration]string{
		time.Millisecond: "a second", 29 * time.Second: "29 seconds", 91 * time.Second: "2 minutes", time.Hour: "60 minutes",
	} {
		each(t, func(s *site) {
			left := 1
			limited := func(caller string) time.Duration {
				if caller != "alice" {
					t.Errorf("asked about %q", caller)
				}
				if left--; left < 0 {
					return wait
				}
				return 0
			}
			r := s.next("alice")
			r.Turns = limited
			c := s.open(r)
			s.open(r) // attaches
			other := s.next("alice")
			other.Turns = limited
			s.refused(other, "turns", `data: {"type":"error","code":"custom","message":"You have sent too many messages. Please try again in `+
				words+`.","allow_retry":false}`+"\n\n")
			s.calls(1)
			if left != -1 {
				t.Errorf("the limit was asked %d times", 1-left)
			}
			c.leave(turn.Lost)
		})
	}
}

// A refused turn takes nothing from the limit.
func TestParallelBeforeTurns(t *testing.T) {
	each(t, func(s *site) {
		r := s.next("alice")
		r.Parallel = 1
		s.open(r)
		r = s.next("alice")
		r.Parallel = 1
		r.Turns = func(string) time.Duration { t.Error("asked"); return 0 }
		s.refused(r, "parallel", busy)
	})
}

// Whose a thread is, is what the answers of a backend say.
func TestAccepted(t *testing.T) {
	const created = `data: {"type":"thread.created","thread":{"id":"thr_1"}}` + "\n\n"
	for _, tt := range []struct {
		name, thread string
		parts        []any
		want         string
	}{
		{"a new thread", "", []any{created, whole, io.EOF}, "accepted thr_1"},
		{"a turn in a thread", "thr_0", []any{whole, io.EOF}, "accepted thr_0"},
		{"a thread that is not known", "thr_0", []any{": ping\n\n", io.EOF}, ""},
		{"a thread elsewhere in an answer", "", []any{`data: {"type":"thread.updated","thread":{"id":"thr_9"}}` + "\n\n", whole, io.EOF}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				r := s.request()
				r.Thread = tt.thread
				c := s.open(r)
				s.streams[0].send(tt.parts...)
				<-c.over
				got := ""
				for _, o := range s.observed {
					if strings.HasPrefix(o, "accepted") {
						got += o
					}
				}
				if got != tt.want {
					t.Errorf("observed %q", s.observed)
				}
			})
		})
	}
}

// A thread is the first caller's of whom a turn was accepted, until it is forgotten.
func TestOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := turn.NewOwners(2, time.Hour)
		others := func(thread, caller string, want bool) {
			t.Helper()
			if got := o.Others("site", thread, caller); got != want {
				t.Errorf("%s is another's than %s's: %t", thread, caller, got)
			}
		}
		others("thr_1", "bob", false) // not known
		o.Learn("site", "thr_1", "alice")
		o.Learn("site", "thr_1", "bob")
		others("thr_1", "alice", false)
		others("thr_1", "bob", true)
		if o.Others("another site", "thr_1", "bob") {
			t.Error("sites share their threads")
		}

		time.Sleep(59 * time.Minute)
		o.Learn("site", "thr_1", "alice") // an hour more
		time.Sleep(59 * time.Minute)
		others("thr_1", "bob", true)
		time.Sleep(time.Minute)
		others("thr_1", "bob", false)
		o.Learn("site", "thr_1", "bob")
		others("thr_1", "alice", true)

		o.Learn("site", "", "alice")
		o.Learn("site", "thr_2", "")
		if o.Len() != 1 {
			t.Errorf("%d threads", o.Len())
		}
		for _, thread := range []string{"thr_2", "thr_3", "thr_4"} {
			o.Learn("site", thread, "alice")
		}
		if o.Len() != 2 {
			t.Errorf("%d threads", o.Len())
		}
		others("thr_1", "alice", false)
		others("thr_4", "bob", true)
	})
}
