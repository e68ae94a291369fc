package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A client that is lost at any frame of a turn of ten: the backend has the whole
// answer, and nobody has canceled it. With cancel it is as without us.
func TestClientLostAtEveryFrame(t *testing.T) {
	for _, mode := range []string{"finish", "cancel"} {
		for n := range 10 {
			t.Run(fmt.Sprint(mode, " ", n), func(t *testing.T) {
				s := newUnloadedSite(t)
				b := newChat(t, tenFrames())
				s.Load(testsite.Backends("chatkit /chatkit {\n on_disconnect "+mode+"\n }", b.URL))
				c := s.turn(s.Client, frameOne)
				for i := range n {
					if got := c.frame(); got != tenFrames()[i] {
						t.Errorf("got %q", got)
					}
					if i < n-1 {
						b.next <- struct{}{}
					}
				}
				c.lose()
				if mode == "cancel" {
					if got := testsite.Receive(t, b.ended); got != "canceled" {
						t.Errorf("the backend has %s it", got)
					}
					return
				}
				time.Sleep(20 * time.Millisecond) // the loss has been noticed, as with cancel
				close(b.next)
				if got := testsite.Receive(t, b.ended); got != "stored" || b.has()[0] != strings.Join(tenFrames(), "") {
					t.Errorf("the backend has %s %q", got, b.has())
				}
			})
		}
	}
}

// Five identical requests, of which four are lost: one call, and whoever reads on
// gets everything. The same text after a good end is another turn.
func TestIdenticalRequestsAreOneTurn(t *testing.T) {
	for version, transport := range protocols {
		t.Run(version, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := newChat(t, tenFrames())
			s.LoadText(s.secure(testsite.Backends("chatkit /chatkit", b.URL)))
			s.Client.Transport = transport()
			attached := s.Metric("turns_attached_total")
			for i := range 4 {
				c := s.turn(s.Client, frameOne)
				for j := range i {
					if got := c.frame(); got != tenFrames()[j] {
						t.Errorf("got %q", got)
					}
				}
				c.lose()
				b.next <- struct{}{}
			}
			last := s.turn(s.Client, frameOne)
			close(b.next)
			if got := last.rest(); got != strings.Join(tenFrames(), "") || len(b.has()) != 1 {
				t.Errorf("the last got %q, after %d calls", got, len(b.has()))
			}
			if got := s.Metric("turns_attached_total") - attached; got != 4 {
				t.Errorf("%v have attached", got)
			}
			if again := s.Post("/chatkit", createBody, frameOne); again.Raw != strings.Join(tenFrames(), "") || len(b.has()) != 2 {
				t.Errorf("the same text later made %d calls", len(b.has()))
			}
		})
	}
}

// Five at once get the same bytes.
func TestFiveAtOnce(t *testing.T) {
	s := newUnloadedSite(t)
	b := newChat(t, tenFrames())
	s.Load(testsite.Backends("chatkit /chatkit", b.URL))
	attached := s.Metric("turns_attached_total")
	got := make([]string, 5)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			a, err := s.Try(http.MethodPost, "/chatkit", createBody, frameOne)
			got[i] = fmt.Sprint(a.Raw, err)
		})
	}
	s.Await("turns_attached_total", attached+4)
	close(b.next)
	all.Wait()
	for _, text := range got {
		if text != strings.Join(tenFrames(), "")+"<nil>" {
			t.Errorf("got %q", text)
		}
	}
	if len(b.has()) != 1 {
		t.Errorf("the backend was called %d times", len(b.has()))
	}
}

// Whoever differs in anything gets a turn of his own.
func TestOthersDoNotAttach(t *testing.T) {
	type request struct {
		path, body string
		headers    []string
	}
	first := request{"/chatkit", createBody, []string{frameOne, "Authorization: Bearer alice"}}
	for name, other := range map[string]request{
		"another credential": {"/chatkit", createBody, []string{frameOne, "Authorization: Bearer bob"}},
		"another cookie":     {"/chatkit", createBody, []string{frameOne, "Authorization: Bearer alice", "Cookie: s=bob"}},
		"no credential":      {"/chatkit", createBody, []string{frameOne}},
		"another frame":      {"/chatkit", createBody, []string{frameTwo, "Authorization: Bearer alice"}},
		"another body":       {"/chatkit", addBody, []string{frameOne, "Authorization: Bearer alice"}},
		"another query":      {"/chatkit?a=1", createBody, []string{frameOne, "Authorization: Bearer alice"}},
		"another path":       {"/other", createBody, []string{frameOne, "Authorization: Bearer alice"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := newChat(t, tenFrames())
			s.Load(testsite.Backends("chatkit /chatkit\n chatkit /other", b.URL))
			begun := s.Metric("turns_in_flight")
			var both sync.WaitGroup
			for _, r := range []request{first, other} {
				both.Go(func() {
					if a, err := s.Try(http.MethodPost, r.path, r.body, r.headers...); err != nil || a.Raw != strings.Join(tenFrames(), "") {
						t.Errorf("got %q and %v", a.Raw, err)
					}
				})
			}
			s.Await("turns_in_flight", begun+2)
			close(b.next)
			both.Wait()
			if len(b.has()) != 2 {
				t.Errorf("the backend was called %d times", len(b.has()))
			}
		})
	}
}

// Without a frame and a credential nobody attaches, nor where it is off.
func TestNobodyAttaches(t *testing.T) {
	for options, headers := range map[string][]string{"": nil, "{\n attach off\n }": {frameOne, "Authorization: Bearer alice"}} {
		s := newUnloadedSite(t)
		b := newChat(t, tenFrames())
		s.Load(testsite.Backends("chatkit /chatkit "+options, b.URL))
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { _, _ = s.Try(http.MethodPost, "/chatkit", createBody, headers...) })
		}
		s.Await("turns_in_flight", 2)
		close(b.next)
		both.Wait()
		if len(b.has()) != 2 {
			t.Errorf("the backend was called %d times", len(b.has()))
		}
	}
}

// A reload neither cuts nor forgets turns, whether somebody reads them or not.
func TestReloadUnderTurns(t *testing.T) {
	s := newUnloadedSite(t)
	b := newChat(t, tenFrames())
	load := func(more string) { s.Load(testsite.Backends("chatkit /chatkit\n "+more, b.URL)) }
	load("")
	s.persistent()
	read, lost := s.turn(s.Client, frameOne), s.turn(s.Client, frameTwo)
	lost.lose()
	for _, more := range []string{"stream_idle 1m", "failover any", "deadline 5s"} {
		load(more)
	}
	back := s.turn(s.Client, frameTwo)
	close(b.next)
	want := strings.Join(tenFrames(), "")
	if got := read.rest(); got != want {
		t.Errorf("who has read on got %q", got)
	}
	if got := back.rest(); got != want || len(b.has()) != 2 {
		t.Errorf("who has come back got %q, after %d calls", got, len(b.has()))
	}
}
