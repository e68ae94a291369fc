package caddymodule_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// both is a backend of WebSockets that echo and of streams that send an event
// whenever their request's number is told to.
func both(next []chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			echoSocket(w, r)
			return
		}
		var n int
		_, _ = fmt.Sscan(r.Header.Get("X-Number"), &n)
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return
			case _, more := <-next[n]:
				if !more {
					return
				}
			}
		}
	}
}

// readX reads one of its events.
func readX(t *testing.T, r io.Reader) {
	t.Helper()
	got := make([]byte, len("data: x\n\n"))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "data: x\n\n" {
		t.Fatalf("got %q and %v", got, err)
	}
}

// A reload cuts no stream and no WebSocket; when they have ended nothing of them
// is left.
func TestReloadKeepsStreamsAndSockets(t *testing.T) {
	const each = 20
	next := make([]chan struct{}, each)
	for i := range next {
		next[i] = make(chan struct{}, 1)
	}
	s := newUnloadedSite(t)
	s.Client.Transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	url := testsite.OwnBackend(t, both(next))
	s.Load(testsite.Backends("", url))
	s.Await(inFlightStream, 0)
	s.Await(inFlightSocket, 0)
	before := settledGoroutines()
	streams, sockets := make([]testsite.Begun, each), make([]socket, each)
	for i := range each {
		streams[i], sockets[i] = s.Open("X-Number: "+fmt.Sprint(i)), s.socket()
		readX(t, streams[i].Body)
	}
	for i := range 3 {
		s.Load(testsite.Backends(fmt.Sprintf("deadline %ds", 5+i), url))
		for i := range each {
			next[i] <- struct{}{}
			readX(t, streams[i].Body)
			f := frame{fin | opText, pattern(1000 + i)}
			sockets[i].say(f)
			sockets[i].hear(f)
		}
	}
	s.Await(inFlightStream, each)
	s.Await(inFlightSocket, each)
	for i := range each {
		close(next[i])
		if rest, err := io.ReadAll(streams[i].Body); err != nil || len(rest) > 0 {
			t.Errorf("stream %d ended with %q and %v", i, rest, err)
		}
		sockets[i].say(frame{fin | opClose, code(1000, "")})
		sockets[i].hear(frame{fin | opClose, code(1000, "")})
		_ = sockets[i].Close()
	}
	s.Await(inFlightStream, 0)
	s.Await(inFlightSocket, 0)
	s.fewGoroutines(before)
}

// fewGoroutines waits for the goroutines to be as many as before, but for the
// two idle ones that Caddy keeps of a reload.
func (s *site) fewGoroutines(before int) {
	s.T.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		now := settledGoroutines()
		if now <= before+3 {
			return
		}
		if time.Now().After(end) {
			s.T.Fatalf("goroutines grew from %d to %d", before, now)
		}
	}
}

// After the drain time WebSockets of a configuration that was replaced are
// closed, in both directions, and with a frame that says so.
func TestDrainEnds(t *testing.T) {
	s := newUnloadedSite(t)
	gone, told := make(chan error, 1), make(chan struct{})
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw := acceptSocket(w, r)
		defer conn.Close()
		// A backend that hangs up at once could end the connection before Caddy
		// has told the client.
		defer func() { <-told }()
		f, err := readFrame(rw)
		if err == nil {
			_, err = conn.Write(f.bytes(false))
		}
		if err == nil {
			f, err = readFrame(rw)
		}
		if err == nil && f.first == fin|opClose {
			err = errors.New("closed as it should be")
		}
		gone <- err
	})
	// Without an access log: Caddy counts for it in the drain and in the answer,
	// without a lock, which the race detector sees.
	s.loadUnlogged(testsite.Backends("drain 300ms", url))
	// Caddy knows of a socket a moment after its client does: once it carries.
	c, hello := s.unlogged(t), frame{fin | opText, "hello"}
	_, _ = c.w.Write(hello.bytes(true))
	c.hear(hello)
	start := time.Now()
	s.loadUnlogged(testsite.Backends("drain 301ms", url))
	f, err := readFrame(c.r)
	close(told)
	if err != nil || f.first != fin|opClose || !strings.HasPrefix(f.payload, code(1001, "")) {
		t.Errorf("got %x %q and %v, want to be told to go away", f.first, f.payload, err)
	}
	if took := time.Since(start); took < 250*time.Millisecond {
		t.Errorf("it lived for %s", took)
	}
	if err := testsite.Receive(t, gone); err == nil || err.Error() != "closed as it should be" {
		t.Errorf("the backend got %v", err)
	}
	s.Await(inFlightSocket, 0)
}

// Handlers come and go with reloads; what they carry stays counted.
func TestReloadOfAnotherKind(t *testing.T) {
	next := []chan struct{}{make(chan struct{}, 1)}
	s := newUnloadedSite(t)
	s.persistent() // a load replaces the admin server it came in by
	url := testsite.OwnBackend(t, both(next))
	s.Load(testsite.Backends("", url))
	resp := s.Open("X-Number: 0")
	readX(t, resp.Body)
	ended := s.Metric(streamsOK)
	s.Load(testsite.Backends("stream off\n websocket off", url))
	s.Await(inFlightStream, 1)
	next[0] <- struct{}{}
	readX(t, resp.Body)
	close(next[0])
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("it ended with %q and %v", rest, err)
	}
	s.Await(streamsOK, ended+1)
	s.Await(inFlightStream, 0)
}
