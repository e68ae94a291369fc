package caddymodule_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// generous is a backend whose turns are what somebody asks for: thousands of small
// frames, a giant one, an answer that comes late, or one that does not end.
func generous(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	wants := r.Header.Get("X-Wants")
	if wants == "late" {
		time.Sleep(30 * time.Millisecond)
	}
	begin(w, lead+addedFrame)
	switch wants {
	case "many":
		for range 5000 {
			_, _ = io.WriteString(w, deltaFrame)
		}
	case "giant":
		_, _ = io.WriteString(w, strings.Replace(deltaFrame, "Hello", strings.Repeat("x", 6<<20), 1))
	case "endless":
		for r.Context().Err() == nil {
			begin(w, deltaFrame)
			time.Sleep(50 * time.Millisecond)
		}
		return
	}
	_, _ = io.WriteString(w, doneFrame)
}

// turnActs are what a hostile caller asks for, how long it stays, and whether it
// attaches to the same turn every time.
var turnActs = []struct {
	wants  string
	stays  time.Duration
	attach bool
}{
	{"endless", 300 * time.Millisecond, true},
	{"endless", 20 * time.Millisecond, false},
	{"late", 10 * time.Millisecond, false},
	{"many", 300 * time.Millisecond, false},
	{"giant", 300 * time.Millisecond, false},
}

// turnHands is how much a hostile caller does at once.
const turnHands = 15

// One caller cannot take turns away from others, whatever it attaches to, cancels, or
// leaves unread: theirs come whole, the breaker stays closed, and nothing of it is left.
func TestOneCallerCannotWithTurns(t *testing.T) {
	for _, mode := range []string{"cancel", "finish 2s"} {
		t.Run(mode, func(t *testing.T) {
			s := newUnloadedSite(t)
			s.Load(testsite.Backends(headerUser+"\n chatkit /chatkit {\n on_disconnect "+mode+"\n }", testsite.OwnBackend(t, generous)+`
				transport http {
					dial_timeout 30s # a busy machine is not the backend's fault
				}
				breaker {
					consecutive 3
				}`))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var all sync.WaitGroup
			var acts atomic.Int64
			x := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for i := range turnHands {
				all.Go(func() {
					for n := i; ctx.Err() == nil; n++ {
						s.actOnTurns(ctx, x, n, acts.Add(1))
					}
				})
			}
			s.chats("alice", 5)
			stop()
			all.Wait()
			t.Logf("%d hostile acts", acts.Load())
			if acts.Load() < turnHands {
				t.Error("too little happened")
			}
			if lines := s.Logged("caddy.log", `"breaker changed"`); len(lines) > 0 {
				t.Errorf("a breaker changed: %s", strings.Join(lines, "\n"))
			}
			s.Await("turns_in_flight", 0)
			s.Await(`streams_in_flight{kind="chatkit"}`, 0)
			s.Await("buffered_bytes", 0)
			if got := s.Post("/chatkit", createBody, "X-User: mallory", frameTwo); got.Raw != lead+addedFrame+doneFrame {
				t.Errorf("afterwards the hostile caller got %q", got.Raw)
			}
		})
	}
}

// actOnTurns is one act of the hostile caller.
func (s *site) actOnTurns(ctx context.Context, client *http.Client, n int, id int64) {
	act := turnActs[n%len(turnActs)]
	frame := "same"
	if !act.attach {
		frame = fmt.Sprint(id)
	}
	ctx, leave := context.WithTimeout(ctx, act.stays)
	defer leave()
	r, err := testsite.Request(ctx, http.MethodPost, s.URL+"/chatkit", createBody, "X-User: mallory", "X-Wants: "+act.wants, "Chatkit-Frame-Instance-Id: "+frame)
	if err != nil {
		s.T.Error(err)
		return
	}
	resp, err := client.Do(r)
	if err != nil {
		return // it has left
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 100) // and reads no more
	<-ctx.Done()
}

// chats has n turns of a user's, one after the other.
func (s *site) chats(user string, n int) {
	for i := range n {
		got := s.Post("/chatkit", createBody, "X-User: "+user, fmt.Sprint("Chatkit-Frame-Instance-Id: ", i))
		if got.Raw != lead+addedFrame+doneFrame {
			s.T.Errorf("%s got %q", user, got.Raw)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
