package turn_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// The same message five times, four of them lost on the way: one call, and every
// client that stays has all frames from the first on.
func TestFiveOfOne(t *testing.T) {
	each(t, func(s *site) {
		for i, part := range []string{user, options, added, update} {
			c := s.open(s.request())
			s.streams[0].send(part)
			c.has(strings.Join([]string{user, options, added, update}[:i+1], ""))
			c.leave(turn.Lost)
		}
		last := s.open(s.request())
		last.has(user + options + added + update)
		s.streams[0].send(done, io.EOF)
		last.ends(whole)
		s.calls(1)
		s.saw("begun", "first token after 0s", "attached", "attached", "attached", "attached", "ok")
	})
}

// Five at once, who come while the backend is silent, and get five equal bodies.
func TestFiveAtOnce(t *testing.T) {
	each(t, func(s *site) {
		all := make([]*reader, 0, 5)
		for range 5 {
			all = append(all, s.open(s.request()))
		}
		for _, part := range []any{user, options, added, update, done, io.EOF} {
			s.streams[0].send(part)
			sleep(time.Second)
		}
		for _, c := range all {
			c.ends(whole)
		}
		s.calls(1)
	})
}

// A turn that ended well and that nobody has read is there for half a minute, for
// the one who reads it to its end.
func TestUnread(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		calls int
	}{
		{"in time", turn.Linger - time.Millisecond, 1},
		{"too late", turn.Linger, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				c := s.open(s.request())
				c.leave(turn.Lost)
				s.streams[0].send(whole, io.EOF)
				<-c.over
				sleep(tt.after)
				c = s.open(s.request())
				s.calls(tt.calls)
				if tt.calls == 1 {
					c.ends(whole)
					if s.Kept() != 0 {
						t.Errorf("%d bytes are kept of a turn that was read", s.Kept())
					}
				}
			})
		})
	}
	// Not to its end: it is still there.
	each(t, func(s *site) {
		c := s.open(s.request())
		c.leave(turn.Lost)
		s.streams[0].send(whole, io.EOF)
		half, err := s.Do(s.Context(), s.request())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := half.Read(make([]byte, 10)); n != 10 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		half.Close()
		s.open(s.request()).ends(whole)
		s.calls(1)
	})
}

// What does not attach: a new call.
func TestNewCalls(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  []any // of the first turn
		read bool  // by its client
		next func(r *turn.Request)
	}{
		{"ended well and read", []any{whole, io.EOF}, true, func(*turn.Request) {}},
		{"failed and read", []any{added, errReset}, true, func(*turn.Request) {}},
		{"failed unread", []any{added, errReset}, false, func(*turn.Request) {}},
		{"the backend's error, unread", []any{failure, io.EOF}, false, func(*turn.Request) {}},
		{"another caller", nil, true, func(r *turn.Request) { r.Caller = "bob" }},
		{"another frame", nil, true, func(r *turn.Request) { r.Frame = "f2" }},
		{"a credential", nil, true, func(r *turn.Request) { r.Credential = "Bearer x" }},
		{"another route", nil, true, func(r *turn.Request) { r.Scope = "/other" }},
		{"another message", nil, true, nil},
		{"attach is off", nil, true, func(r *turn.Request) { r.Attach = false }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(s *site) {
				c := s.open(s.request())
				if !tt.read {
					c.leave(turn.Lost)
				}
				s.streams[0].send(tt.end...)
				r := s.request()
				if tt.next != nil {
					tt.next(r)
					r.Key = r.KeyOf([]byte("Hi"))
				} else {
					r.Key = r.KeyOf([]byte("Hi!"))
				}
				s.open(r)
				s.calls(2)
			})
		})
	}
}

// Who asks decides what is the same.
func TestKey(t *testing.T) {
	body := []byte("Hi")
	base := turn.Asker{Scope: "/chatkit", Caller: "alice", Frame: "f1"}
	with := func(change func(a *turn.Asker)) turn.Key {
		a := base
		change(&a)
		return a.KeyOf(body)
	}
	if with(func(a *turn.Asker) { a.Frame = "" }) != (turn.Key{}) {
		t.Error("a key without a frame and a credential")
	}
	// A credential is the same person, from whatever address.
	one := with(func(a *turn.Asker) { a.Credential = "x" })
	if two := with(func(a *turn.Asker) { a.Credential, a.Caller = "x", "bob" }); one != two || one == (turn.Key{}) {
		t.Error("a credential has two keys")
	}
	if with(func(a *turn.Asker) { a.Credential, a.Frame = "x", "" }) == (turn.Key{}) {
		t.Error("no key for a credential without a frame")
	}
	seen := map[turn.Key]bool{}
	for _, change := range []func(a *turn.Asker){
		func(*turn.Asker) {},
		func(a *turn.Asker) { a.Caller = "bob" },
		func(a *turn.Asker) { a.Credential = "alice" },
		func(a *turn.Asker) { a.Frame = "f2" },
		func(a *turn.Asker) { a.Scope = "/other" },
		func(a *turn.Asker) { a.Scope, a.Caller = "/chatkita", "lice" },
		func(a *turn.Asker) { a.Frame, body = "f", []byte("1Hi") },
	} {
		seen[with(change)] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d keys for 7 requests", len(seen))
	}
}

// The client that reads the backend's stream for all is lost while it waits. Its
// handler returns with the next frame, which the others get too.
func TestReaderIsLost(t *testing.T) {
	each(t, func(s *site) {
		one := s.open(s.request())
		s.streams[0].send(user)
		two := s.open(s.request())
		one.leave(turn.Lost)
		s.streams[0].send(added)
		<-one.over
		two.has(user + added)
		s.streams[0].send(done, io.EOF)
		two.ends(user + added + done)
		s.saw("begun", "attached", "first token after 0s", "ok")
	})
}

// A turn belongs to the engine, not to the request that began it: its context has
// that one's values, and does not end with it.
func TestContextOutlivesTheRequest(t *testing.T) {
	each(t, func(s *site) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(s.Context(), key{}, "value"))
		r := s.request()
		asked := make(chan context.Context, 1)
		ask := r.Ask
		r.Ask = func(ctx context.Context, last turn.End) (*turn.Answer, error) {
			asked <- ctx
			return ask(ctx, last)
		}
		c, err := s.Do(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		c.Close()
		got := <-asked
		if got.Value(key{}) != "value" || got.Err() != nil {
			t.Errorf("value %v, %v", got.Value(key{}), got.Err())
		}
	})
}

// A turn that a client has read to its end, as it seems, is kept until that has
// arrived: the same request gets it until then, and another one after it.
func TestArrives(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration // 0: never
		asks  time.Duration
		calls int
	}{
		"at once":              {1, 2, 2},
		"not yet":              {100 * time.Millisecond, 50 * time.Millisecond, 1},
		"late":                 {5 * time.Second, 6 * time.Second, 2},
		"late, asked before":   {5 * time.Second, 4 * time.Second, 1},
		"never":                {0, turn.Linger - 1, 1},
		"never, asked at last": {0, turn.Linger + 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(s *site) {
				begun := time.Now()
				r := s.request()
				r.Arrived = func() bool { return tt.after > 0 && time.Since(begun) >= tt.after }
				c := s.open(r)
				s.streams[0].send(whole, io.EOF)
				c.ends(whole)
				sleep(tt.asks)
				r.Arrived = nil
				again := s.open(r)
				s.calls(tt.calls)
				if tt.calls == 2 {
					s.streams[1].send(whole, io.EOF)
				}
				again.ends(whole)
			})
		})
	}
}

// What has arrived is not kept for long.
func TestArrivedIsForgotten(t *testing.T) {
	each(t, func(s *site) {
		r := s.request()
		r.Arrived = func() bool { return true }
		c := s.open(r)
		s.streams[0].send(whole, io.EOF)
		c.ends(whole)
		sleep(turn.Arrive)
		if !s.idle() || s.Kept() != 0 {
			t.Errorf("the turn is kept, with %d bytes", s.Kept())
		}
	})
}
