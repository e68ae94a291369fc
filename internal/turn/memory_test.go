package turn_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// big is a frame of 64 KiB.
var big = `data: {"type":"progress_update","text":"` + strings.Repeat("x", 64<<10-43) + "\"}\n\n"

// A turn is kept up to 4 MiB. Beyond that it goes on, for those who read it, and
// nothing attaches.
func TestMemoryOfATurn(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.request())
		s.streams[0].send(update)
		sent, most := len(update), int64(0)
		for sent < turn.MaxKept-200<<10 {
			s.streams[0].send(big)
			sent += len(big)
			most = max(most, s.Kept())
		}
		two := s.open(s.request())
		two.has(c.got.String())
		for sent < turn.MaxKept+turn.MaxKept/2 {
			s.streams[0].send(big)
			sent += len(big)
			most = max(most, s.Kept())
		}
		if most > turn.MaxKept || most < turn.MaxKept-200<<10 {
			t.Errorf("%d bytes were kept", most)
		}
		if kept, has := s.Kept(), c.client.Memory(); kept != 0 || has > 128<<10 {
			t.Errorf("%d bytes are kept of a turn that is too long, it has %d", kept, has)
		}
		s.open(s.request()) // cannot attach
		s.calls(2)
		s.streams[0].send(io.EOF)
		<-c.over
		<-two.over
		if c.got.Len() != sent || two.got.String() != c.got.String() || c.err != nil || two.err != nil {
			t.Errorf("the clients got %d and %d bytes of %d, %v, %v", c.got.Len(), two.got.Len(), sent, c.err, two.err)
		}
	})
}

// All turns together keep no more than their limit. Beyond it a turn goes on.
func TestMemoryOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 1 << 20
		run(t, turn.NewSmall(limit), func(s *site) {
			all := make([]*reader, 0, 20)
			for i := range 20 {
				r := s.request()
				r.Key = r.KeyOf(fmt.Append(nil, i))
				c := s.open(r)
				all = append(all, c)
				s.streams[i].send(big, big, update)
				if s.Kept() > limit {
					t.Fatalf("%d bytes are kept", s.Kept())
				}
			}
			for i := range all {
				r := s.request()
				r.Key = r.KeyOf(fmt.Append(nil, i))
				s.open(r)
			}
			if n := len(s.asked); n <= 20 || n >= 40 {
				t.Errorf("%d calls: some turns have to be kept, others not", n)
			}
			for i, c := range all {
				s.streams[i].send(done, io.EOF)
				c.ends(big + big + update + done)
			}
		})
	})
}

// A turn that is over and was not read keeps what it has shown, for its time only.
func TestMemoryOfUnreadTurns(t *testing.T) {
	each(t, func(s *site) {
		for i := range 100 {
			r := s.request()
			r.Key = r.KeyOf(fmt.Append(nil, i))
			c := s.open(r)
			c.leave(turn.Lost)
			s.streams[i].send(whole, io.EOF)
			<-c.over
		}
		if all, waiting := s.Len(); all != 100 || waiting != 100 || s.Kept() != 100<<10 {
			t.Errorf("%d turns, %d wait, %d bytes", all, waiting, s.Kept())
		}
		sleep(turn.Linger)
		if all, waiting := s.Len(); all != 0 || waiting != 0 || s.Kept() != 0 {
			t.Errorf("%d turns, %d wait, %d bytes", all, waiting, s.Kept())
		}
	})
}

// A frame that is too long to keep passes to those who are there, and makes the turn
// one that is not kept.
func TestMemoryOfALongFrame(t *testing.T) {
	each(t, func(s *site) {
		c := s.open(s.request())
		long := `data: {"type":"thread.item.done","item":{"id":"a","x":"` + strings.Repeat("x", 2<<20) + "\"}}\n\n"
		s.streams[0].send(added, long)
		if kept, has := s.Kept(), c.client.Memory(); kept != 0 || has > 128<<10 {
			t.Errorf("%d bytes are kept, the turn has %d", kept, has)
		}
		s.open(s.request())
		s.calls(2)
		s.streams[0].send(io.EOF)
		<-c.over
		if c.err != nil || c.got.String() != added+long {
			t.Errorf("got %d bytes of %d, %v", c.got.Len(), len(added+long), c.err)
		}
	})
}

// A client that does not read is dropped when it is too far behind, and the turn and
// the others go on. The memory it costs is bounded.
func TestSlowClientByBytes(t *testing.T) {
	each(t, func(s *site) {
		stuck := make(chan struct{})
		slow := s.start(s.request(), stuck)
		fast := s.open(s.request())
		s.streams[0].send(added)
		sent, most := len(added), 0
		for sent < 12<<20 {
			s.streams[0].send(big)
			sent += len(big)
			most = max(most, fast.client.Memory())
		}
		if most > turn.MaxKept+128<<10 {
			t.Errorf("the turn had %d bytes", most)
		}
		if now := fast.client.Memory(); now > 128<<10 {
			t.Errorf("the turn has %d bytes without the slow client", now)
		}
		close(stuck)
		<-slow.over
		if !errors.Is(slow.err, turn.ErrSlow) {
			t.Errorf("the slow client got %v", slow.err)
		}
		s.streams[0].send(done, io.EOF)
		<-fast.over
		if fast.err != nil || fast.got.Len() != sent+len(done) {
			t.Errorf("the other got %d bytes of %d, %v", fast.got.Len(), sent+len(done), fast.err)
		}
		s.calls(1)
	})
}

// It is also dropped when it takes too long, however little it leaves unread.
func TestSlowClientByTime(t *testing.T) {
	each(t, func(s *site) {
		stuck := make(chan struct{})
		slow := s.start(s.request(), stuck)
		fast := s.open(s.request())
		s.streams[0].send(added)
		sleep(turn.Slow - 2*turn.Stall)
		s.streams[0].send(update)
		fast.has(added + update)
		close(stuck) // in time
		slow.has(added + update)
		stuck = make(chan struct{})
		slow.got.stick(stuck)
		s.streams[0].send(update)
		s.streams[0].send(update)
		sleep(turn.Slow + 2*turn.Stall)
		close(stuck)
		<-slow.over
		if !errors.Is(slow.err, turn.ErrSlow) {
			t.Errorf("the slow client got %v", slow.err)
		}
		s.streams[0].send(done, io.EOF)
		fast.ends(added + update + update + update + done)
	})
}

// A client that stalls does not stall the backend: its stream is read without it.
// When the client goes on it gets everything.
func TestStall(t *testing.T) {
	each(t, func(s *site) {
		stuck := make(chan struct{})
		c := s.start(s.request(), stuck)
		s.streams[0].send(added)
		s.streams[0].send(update)
		if len(s.streams[0].parts) != 1 {
			t.Error("the backend is read at once for a client that does not read")
		}
		sleep(3 * turn.Stall)
		if len(s.streams[0].parts) != 0 {
			t.Error("the backend waits for the client")
		}
		s.streams[0].send(done, io.EOF)
		close(stuck)
		c.ends(added + update + done)
		s.saw("begun", "first token after 0s", "ok")
	})
}

// Where a lost client cancels, a client that stalls stalls the backend, as without
// us, and is not dropped.
func TestStallWithoutFinish(t *testing.T) {
	each(t, func(s *site) {
		r := s.request()
		r.Finish = 0
		stuck := make(chan struct{})
		c := s.start(r, stuck)
		s.streams[0].send(big) // more than it reads at once
		s.streams[0].send(update, done, io.EOF)
		sleep(time.Hour)
		if len(s.streams[0].parts) != 3 {
			t.Error("the backend is read")
		}
		close(stuck)
		c.ends(big + update + done)
	})
}

// A client that stalls for too long counts as lost: the turn is finished unread.
func TestStallForever(t *testing.T) {
	each(t, func(s *site) {
		stuck := make(chan struct{})
		c := s.start(s.request(), stuck)
		s.streams[0].send(added)
		s.streams[0].send(update)
		sleep(turn.Slow + 2*turn.Stall)
		s.streams[0].send(done, io.EOF)
		s.saw("begun", "first token after 0s", "ok, unread")
		again := s.open(s.request())
		again.ends(added + update + done)
		close(stuck)
		<-c.over
		if !errors.Is(c.err, turn.ErrSlow) {
			t.Errorf("the client got %v", c.err)
		}
		s.calls(1)
	})
}

// Who was dropped does not keep a turn of a hung backend alive.
func TestStallIsALoss(t *testing.T) {
	each(t, func(s *site) {
		stuck := make(chan struct{})
		c := s.start(s.request(), stuck)
		s.streams[0].send(added)
		s.streams[0].send(update)
		sleep(turn.Slow + 2*turn.Stall)
		sleep(2 * time.Minute)
		s.saw("begun", "first token after 0s", "canceled")
		close(stuck)
		<-c.over
	})
}
