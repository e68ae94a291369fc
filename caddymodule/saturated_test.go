package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const underWay = `attempts_in_flight{provider="backend"}`

// hung starts a backend that answers nobody before release, and its block.
func hung(t *testing.T, options string) (block string, release func()) {
	t.Helper()
	gate := make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-gate:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if r.URL.Path == "/api/sessions" {
			_, _ = fmt.Fprint(w, `{"session_id":"s"}`)
			return
		}
		_, _ = fmt.Fprint(w, "data: begun\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	t.Cleanup(release)
	return "\n user {http.request.header.X-User}\n anonymous\n provider backend " + url + " {\n retries 0\n timeout 20s\n " + options + "\n }", release
}

// Beyond the bound the next provider serves at once; without one the answer says when
// to come back. One caller never gets all places.
func TestMaxInFlight(t *testing.T) {
	block, release := hung(t, "max_in_flight 4")
	s := newSite(t, block+openaiOnly)
	var all sync.WaitGroup
	ask := func(user, want string) {
		all.Go(func() {
			a, err := s.Try(http.MethodPost, "/api/custom/session", "", "X-User: "+user)
			if err != nil {
				t.Error(err)
				return
			}
			a.Is(t, want)
		})
	}
	ask("alice", "200 backend")
	ask("alice", "200 backend")
	s.Await(underWay, 2)
	s.Session("X-User: alice").Is(t, "200 openai saturated")
	ask("bob", "200 backend")
	ask("carol", "200 backend")
	s.Await(underWay, 4)
	for range 5 {
		start := time.Now()
		s.Session("X-User: dave").Is(t, "200 openai saturated")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
	}
	if n := s.Metric(`attempts_total{provider="backend",result="saturated"}`); n != 6 {
		t.Errorf("%v were skipped", n)
	}
	if s.Metric(backendClosed) != 1 || s.Metric(`attempts_in_flight_limit{provider="backend"}`) != 4 {
		t.Error("the breaker was told, or the limit is not shown")
	}
	if status := s.Get(s.Admin + "/chatkit/providers"); !strings.Contains(status, `"in_flight":4,"max_in_flight":4`) {
		t.Errorf("the status does not show it: %s", status)
	}
	// A reload keeps what is under way.
	s.Load(block + openaiOnly + "\n deadline 30s")
	s.Client.CloseIdleConnections()
	s.Await(underWay, 4)
	s.Session("X-User: dave").Is(t, "200 openai saturated")
	release()
	all.Wait()
	s.Await(underWay, 0)
	s.Session("X-User: dave").Is(t, "200 backend")
}

// Where all are full the answer is 503 with Retry-After.
func TestAllSaturated(t *testing.T) {
	block, release := hung(t, "max_in_flight 1")
	s := newSite(t, block)
	var first sync.WaitGroup
	first.Go(func() {
		if a, err := s.Try(http.MethodPost, "/api/custom/session", ""); err != nil || a.Status != http.StatusOK {
			t.Errorf("the first got %d, %v", a.Status, err)
		}
	})
	s.Await(underWay, 1)
	for _, a := range []answer{s.Session(), s.Stream()} {
		if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Raw, "Backend is busy") {
			t.Errorf("got %d, Retry-After %q: %s", a.Status, a.Header.Get("Retry-After"), a.Raw)
		}
	}
	release()
	first.Wait()
}

// A stream holds a place until its answer begins, and a client that leaves frees it.
func TestPlaceOfAStream(t *testing.T) {
	block, release := hung(t, "max_in_flight 2")
	s := newSite(t, block)
	stop := s.leaving()
	s.Await(underWay, 1)
	stop()
	s.Await(underWay, 0)
	release()
	for range 5 {
		s.Open("Authorization: Bearer x")
	}
	s.Await(underWay, 0)
}

// leaving sends a stream request whose client leaves when stop is called.
func (s *site) leaving() (stop func()) {
	s.T.Helper()
	conn := s.Dial()
	_, _ = fmt.Fprintf(conn, "POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}")
	return func() { _ = conn.Close() }
}

// A body that comes slowly holds no place.
func TestPlaceOfASlowBody(t *testing.T) {
	block, release := hung(t, "max_in_flight 1")
	s := newSite(t, block+"\n buffer 1KiB")
	defer release()
	conn := s.Dial()
	_, _ = fmt.Fprintf(conn, "POST /api/custom/message HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000\r\n\r\n%s", strings.Repeat("x", 10000))
	time.Sleep(300 * time.Millisecond)
	if n := s.Metric(underWay); n != 0 {
		t.Errorf("%v places are taken by a body that is not there", n)
	}
	_, _ = io.WriteString(conn, strings.Repeat("x", 10000))
	s.Await(underWay, 1)
	release()
	s.Await(underWay, 0)
}
