package caddymodule_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	streamPath   = "/api/custom/stream"
	streamsTaken = `refused_total{code="rate_limited",route="stream"}`
)

// streams are requests of one caller that are sent at the same time and stay open.
type streams struct {
	mu      sync.Mutex
	leaves  []context.CancelFunc // of those that were carried
	refused int
}

// openAtOnce sends n requests of a user and waits for the header of each.
func (s *site) openAtOnce(client *http.Client, n int, user string) *streams {
	s.T.Helper()
	var o streams
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			ctx, leave := context.WithCancel(s.T.Context())
			r, err := testsite.Request(ctx, http.MethodPost, s.URL+streamPath, "{}", "X-User: "+user)
			if err != nil {
				s.T.Error(err)
			}
			resp, err := client.Do(r) //nolint:bodyclose // the end of the test closes it
			if err != nil {
				s.T.Error(err)
				leave()
				return
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			switch wait, _ := strconv.Atoi(resp.Header.Get("Retry-After")); {
			case resp.StatusCode == http.StatusOK:
				o.leaves = append(o.leaves, leave)
				return
			case resp.StatusCode != http.StatusTooManyRequests || wait < 1:
				s.T.Errorf("got %s, Retry-After %d", resp.Status, wait)
			}
			leave()
			o.refused++
		})
	}
	all.Wait()
	s.T.Cleanup(func() { o.lose(len(o.leaves)) })
	return &o
}

// lose ends n of them.
func (o *streams) lose(n int) {
	for _, leave := range o.leaves[:n] {
		leave()
	}
	o.leaves = o.leaves[n:]
}

// Of 50 clients of one user as many are carried as may be open, over every version of
// HTTP. A place is free when its client is gone, or its backend, and not before: a
// reload that changes the handler forgets nobody.
func TestMaxStreams(t *testing.T) {
	const clients, most = 50, 10
	for version, transport := range protocols {
		t.Run(version, func(t *testing.T) {
			s := newUnloadedSite(t)
			over := make(chan struct{})
			b := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
				begin(w, "data: x\n\n")
				select {
				case <-r.Context().Done():
				case <-over:
					panic(http.ErrAbortHandler)
				}
			})
			load := func(deadline int) {
				s.LoadText(s.secure(testsite.Backends(fmt.Sprintf("%s\n deadline %ds\n max_streams user %d", headerUser, deadline, most), b.URL)))
			}
			load(7)
			refused := s.Metric(streamsTaken)
			client := &http.Client{Transport: &persistentTransport{RoundTripper: transport()}}
			open := s.openAtOnce(client, clients, "alice")
			if len(open.leaves) != most || open.refused != clients-most || len(b.Received()) != most {
				t.Fatalf("%d are open, %d were refused, the backend got %d", len(open.leaves), open.refused, len(b.Received()))
			}
			s.Await(streamsTaken, refused+clients-most)
			if others := s.openAtOnce(client, 2, "bob"); len(others.leaves) != 2 {
				t.Errorf("%d of another user's are open", len(others.leaves))
			} else {
				others.lose(2)
			}
			load(8)
			if more := s.openAtOnce(client, 5, "alice"); len(more.leaves) != 0 {
				t.Errorf("after a reload %d more are open", len(more.leaves))
			}
			open.lose(3)
			s.Await(inFlightStream, most-3)
			if more := s.openUntil(client, 3); len(more.leaves) != 3 {
				t.Errorf("3 were free, %d are open", len(more.leaves))
			}
			if more := s.openAtOnce(client, 5, "alice"); len(more.leaves) != 0 {
				t.Errorf("none was free, %d are open", len(more.leaves))
			}
			close(over) // the backend vanishes
			s.Await(inFlightStream, 0)
		})
	}
}

// openUntil opens n of alice's, as soon as there is room: a place is free right after
// the request is counted as over.
func (s *site) openUntil(client *http.Client, n int) *streams {
	s.T.Helper()
	all := new(streams)
	for deadline := time.Now().Add(10 * time.Second); len(all.leaves) < n && time.Now().Before(deadline); {
		all.leaves = append(all.leaves, s.openAtOnce(client, n-len(all.leaves), "alice").leaves...)
	}
	return all
}

// A WebSocket has its place until it closes, also when it just vanishes.
func TestMaxStreamsOfWebSockets(t *testing.T) {
	const most = 5
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, echoSocket)
	block := testsite.Backends(fmt.Sprintf("max_streams ip %d", most), url)
	s.Load(block)
	sockets := make([]socket, most)
	for i := range sockets {
		sockets[i] = s.socket()
	}
	s.persistent()
	s.Load(strings.Replace(block, "max_streams", "deadline 6s\n max_streams", 1))
	if got := s.Stream(); got.Status != http.StatusTooManyRequests {
		t.Errorf("got %d beside %d WebSockets", got.Status, most)
	}
	_ = sockets[0].Close()
	s.Await(inFlightSocket, most-1)
	another := s.socket()
	f := frame{fin | opText, "hello"}
	another.say(f)
	another.hear(f)
}

// The rate of carried requests is not that of sessions, and outlives a reload.
func TestRateLimitStream(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, tells("data: x\n\n"))
	load := func() {
		s.Load(testsite.Backends(headerUser+"\n rate_limit stream user 30 1h\n rate_limit user 1 1h", b.URL))
	}
	load()
	s.persistent()
	open := s.openAtOnce(s.Client, 50, "alice")
	if len(open.leaves) != 30 || open.refused != 20 || len(b.Received()) != 30 {
		t.Errorf("%d were carried, %d refused, the backend got %d", len(open.leaves), open.refused, len(b.Received()))
	}
	load()
	if got := s.Stream("X-User: alice"); got.Status != http.StatusTooManyRequests || got.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("after a reload: got %d and %v", got.Status, got.Header)
	}
	checkError(t, s.Post("/api/custom/message", "{}", "X-User: alice"), "RATE_LIMITED")
	if got := s.Stream("X-User: bob"); got.Status != http.StatusOK {
		t.Errorf("another user got %d", got.Status)
	}
	if got := s.Stream(); got.Status != http.StatusOK {
		t.Errorf("nobody, by the address, got %d", got.Status)
	}
}

// On the chatkit route a turn over a limit gets an event, which the widget shows, and
// anything else the problem.
func TestStreamLimitsOfTurns(t *testing.T) {
	for _, tt := range []struct{ option, limit, words string }{
		{"rate_limit stream user 1 1h", "rate_limit", "You have sent too many messages."},
		{"max_streams user 1", "max_streams", "Too many chats are open at once."},
	} {
		t.Run(tt.limit, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := newChat(t, tenFrames())
			s.Load(testsite.Backends(headerUser+"\n chatkit /chatkit\n "+tt.option, b.URL))
			turns, all := s.Metric(`turns_refused_total{limit="`+tt.limit+`"}`), s.Metric(`refused_total{code="rate_limited",route="chatkit"}`)
			failed := s.Metric(`streams_total{kind="chatkit",outcome="failed"}`)
			one := s.turn(s.Client, frameOne, "X-User: alice")
			got := s.Post("/chatkit", createBody, frameTwo, "X-User: alice")
			if got.Status != 200 || !strings.Contains(got.Raw, tt.words) || !strings.HasPrefix(got.Raw, `data: {"type":"error","code":"custom"`) ||
				!strings.Contains(got.Raw, `"allow_retry":false`) || got.Header.Get("Content-Type") != "text/event-stream" {
				t.Errorf("a turn got %d %q", got.Status, got.Raw)
			}
			checkError(t, s.Post("/chatkit", `{"type":"threads.list","params":{}}`, frameTwo, "X-User: alice"), "RATE_LIMITED")
			close(b.next)
			if got := one.rest(); got != strings.Join(tenFrames(), "") {
				t.Errorf("the turn that was carried got %q", got)
			}
			s.Await(`turns_refused_total{limit="`+tt.limit+`"}`, turns+1)
			s.Await(`refused_total{code="rate_limited",route="chatkit"}`, all+2)
			s.Await(`streams_in_flight{kind="chatkit"}`, 0)
			if len(b.has()) != 1 || s.Metric(`streams_total{kind="chatkit",outcome="failed"}`) != failed {
				t.Errorf("the backend got %d turns, %v failed", len(b.has()), s.Metric(`streams_total{kind="chatkit",outcome="failed"}`)-failed)
			}
		})
	}
}
