package caddymodule_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	streamsCut     = `streams_total{kind="stream",outcome="cut"}`
	streamsIdle    = `streams_total{kind="stream",outcome="idle"}`
	streamsFailed  = `streams_total{kind="stream",outcome="failed"}`
	inFlightStream = `streams_in_flight{kind="stream"}`
)

// cutAfter begins an answer, chunked where length is 0, and breaks it off.
func cutAfter(length int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if length > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(length))
		}
		_, _ = io.WriteString(w, "data: begun\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// silent begins an answer and says nothing more.
func silent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: begun\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// An answer that breaks off breaks off for the client too: it never looks as if
// it had come to its end, and it is never continued by another backend.
func TestCutAnswer(t *testing.T) {
	tests := []struct {
		name    string
		backend http.HandlerFunc
		series  string
	}{
		{"chunked", cutAfter(0), streamsCut},
		{"sized", cutAfter(100), streamsCut},
		{"idle", silent, streamsIdle},
	}
	for _, tt := range tests {
		s := newUnloadedSite(t)
		b := testsite.NewTaker(t, nil)
		s.LoadText(s.secure(testsite.Backends("failover any\n stream_idle 200ms", testsite.NewTaker(t, tt.backend).URL, b.URL)))
		for version, transport := range protocols {
			t.Run(tt.name+", "+version, func(t *testing.T) {
				s.Client.CloseIdleConnections()
				s.Client.Transport = transport()
				before, failed := s.Metric(tt.series), s.Metric(streamsFailed)
				got, err := s.Try(http.MethodPost, "/api/custom/stream", "{}")
				if err == nil || version == "HTTP/1.1" && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("got %q and %v, want an error", got.Raw, err)
				}
				if got.Raw != "data: begun\n\n" && version != "HTTP/3.0" { // there the end may overtake it
					t.Errorf("got %q, want what had begun", got.Raw)
				}
				s.Await(tt.series, before+1)
				s.Await(inFlightStream, 0)
				if len(b.Received()) > 0 || s.Metric(streamsFailed) != failed || s.Metric(`breaker_state{provider="a",state="closed"}`) != 1 {
					t.Error("it went on elsewhere, or counts as a failure")
				}
			})
		}
	}
}

// A client that leaves before there is an answer counts as canceled, and frees
// the backend.
func TestClientLeavesBeforeTheAnswer(t *testing.T) {
	for version, transport := range protocols {
		t.Run(version, func(t *testing.T) {
			asked, freed := make(chan struct{}, 1), make(chan struct{}, 1)
			s := newUnloadedSite(t)
			url := testsite.OwnBackend(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				asked <- struct{}{}
				<-r.Context().Done()
				freed <- struct{}{}
			})
			s.LoadText(s.secure(testsite.Backends("", url)))
			s.Client.Transport = transport()
			canceled, attempts := s.Metric(streamsCanceled), s.Metric(`attempts_total{provider="a",result="canceled"}`)
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-asked
				leave()
			}()
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/custom/stream", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := s.Client.Do(r); err == nil {
				resp.Body.Close()
				t.Fatalf("got an answer: %d", resp.StatusCode)
			}
			testsite.Receive(t, freed)
			s.Await(streamsCanceled, canceled+1)
			s.Await(inFlightStream, 0)
			if s.Metric(`attempts_total{provider="a",result="canceled"}`) != attempts+1 || s.Metric(`breaker_state{provider="a",state="closed"}`) != 1 {
				t.Error("it counts against the backend")
			}
		})
	}
}

// A large body reaches the backend while the client still sends it, and whole.
func TestUploadIsStreamed(t *testing.T) {
	const begun, size = 2 << 20, 8 << 20
	there, sum := make(chan struct{}), make(chan string, 1)
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		_, _ = io.CopyN(h, r.Body, begun)
		close(there)
		n, err := io.Copy(h, r.Body)
		sum <- fmt.Sprintf("%x %d %v", h.Sum(nil), begun+n, err)
		_, _ = io.WriteString(w, pattern(64<<10))
	})
	s.Load(testsite.Backends("", url))
	body := pattern(size)
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, body[:begun])
		<-there // not before the backend has it
		_, _ = io.WriteString(w, body[begun:])
		_ = w.Close()
	}()
	resp, err := s.Client.Post(s.URL+"/api/custom/message", "application/json", r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, want := testsite.Receive(t, sum), fmt.Sprintf("%x %d <nil>", sha256.Sum256([]byte(body)), size); got != want {
		t.Errorf("the backend got %s, want %s", got, want)
	}
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != pattern(64<<10) {
		t.Errorf("got %d bytes and %v", len(got), err)
	}
}
