package caddymodule_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	streamsOK       = `streams_total{kind="stream",outcome="ok"}`
	streamsCanceled = `streams_total{kind="stream",outcome="canceled"}`
	attemptsOK      = `attempts_total{provider="backend",result="ok"}`
)

// events is a backend that answers every stream with n events, and then what
// the test says.
func events(n int, then func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Access-Control-Allow-Origin", "https://backend.example.com")
		for i := range n {
			fmt.Fprintf(w, "data: %s %s %d\n\n", r.URL.Path, body, i)
			_ = http.NewResponseController(w).Flush()
		}
		if then != nil {
			then(w, r)
		}
	}
}

// A stream arrives event by event.
func TestStream(t *testing.T) {
	release := make(chan struct{})
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, events(2, func(http.ResponseWriter, *http.Request) { <-release }))
	s.Load("\n provider backend " + url)
	ended := s.Metric(streamsOK)
	resp, err := s.Client.Post(s.URL+"/api/custom/stream", "application/json", strings.NewReader(`{"message":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	for i := range 2 { // the backend is still at it
		line, err := r.ReadString('\n')
		if want := fmt.Sprintf("data: /api/chat/stream {\"message\":\"hi\"} %d\n", i); err != nil || line != want {
			t.Fatalf("got %q and %v, want %q", line, err, want)
		}
		_, _ = r.ReadString('\n')
	}
	close(release)
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("got %q and %v at the end", rest, err)
	}
	s.Await(streamsOK, ended+1)
	s.Await(`streams_in_flight{kind="stream"}`, 0)
}

// A client that leaves takes the backend's request with it, at once, and says
// nothing against the backend.
func TestStreamClientLeaves(t *testing.T) {
	gone := make(chan time.Time, 1)
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, events(1, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		gone <- time.Now()
	}))
	s.Load("\n provider backend " + url)
	canceled, attempts := s.Metric(streamsCanceled), s.Metric(attemptsOK)
	resp, err := s.Client.Post(s.URL+"/api/custom/stream", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	left := time.Now()
	resp.Body.Close()
	select {
	case at := <-gone:
		if lag := at.Sub(left); lag > 100*time.Millisecond {
			t.Errorf("the backend learned of it after %s", lag)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the backend did not learn of it")
	}
	s.Await(streamsCanceled, canceled+1)
	if s.Metric(backendClosed) != 1 || s.Metric(attemptsOK) != attempts+1 {
		t.Error("it counted against the backend")
	}
}
