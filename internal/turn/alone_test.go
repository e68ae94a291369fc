package turn_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// One caller who asks and leaves in a loop holds a bounded number of streams. The turns
// of others, and those that somebody reads, go on.
func TestAlone(t *testing.T) {
	each(t, func(s *site) {
		of := func(caller, scope string, n int) *turn.Request {
			r := s.request()
			r.Caller, r.Scope = caller, scope
			r.Key = r.KeyOf(fmt.Appendf(nil, "%s %d", scope, n))
			return r
		}
		leave := func(r *turn.Request) {
			c := s.open(r)
			s.streams[len(s.streams)-1].send(user)
			c.leave(turn.Lost)
			sleep(time.Millisecond) // they begin one after the other
		}
		read := s.open(of("alice", "/chatkit", -1))
		leave(of("bob", "/chatkit", 0))
		leave(of("alice", "/other", 0))
		const others, extra = 3, 20
		for n := range turn.MaxAlone + extra {
			leave(of("alice", "/chatkit", n))
		}
		last := s.open(of("alice", "/chatkit", 1000))
		synctest.Wait()
		for i, b := range s.streams {
			canceled := i >= others && i < others+extra
			if got := b.ctx.Err() != nil; got != canceled {
				t.Errorf("stream %d: canceled: %v, want %v", i, got, canceled)
			}
		}
		for _, b := range s.streams {
			b.send(added, done, io.EOF)
		}
		<-read.over
		<-last.over
		if read.err != nil || last.err != nil {
			t.Errorf("those who read: %v, %v", read.err, last.err)
		}
	})
}
