package caddymodule_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// withBreaker is two providers, the first with a breaker block.
func withBreaker(breaker string) string {
	return `
	anonymous
	provider backend {env.TEST_BACKEND_URL} {
		key {env.TEST_BACKEND_KEY}
		timeout 500ms
		retries 0
		breaker {
			` + breaker + `
		}
	}` + openaiOnly
}

const (
	backendOpen     = `breaker_state{provider="backend",state="open"}`
	backendHalfOpen = `breaker_state{provider="backend",state="half_open"}`
	backendClosed   = `breaker_state{provider="backend",state="closed"}`
)

func TestBreakerOpensAfterExactlyN(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 4\n open 1m"))
	testsite.Set(t, s.Backend, sandbox.Status500)
	for i := range 20 {
		a := s.Session()
		want := "status_5xx"
		if i >= 4 {
			want = "open"
		}
		if a.Status != http.StatusOK || a.Reason() != want {
			t.Errorf("request %d: got %d because %q, want 200 because %s", i, a.Status, a.Reason(), want)
		}
	}
	if got := s.Backend.Calls(); got != 4 {
		t.Errorf("backend was called %d times, want 4", got)
	}
	if s.Metric(backendOpen) != 1 || s.Metric(backendClosed) != 0 {
		t.Error("the breaker does not show as open")
	}
	if until := s.Metric(`breaker_open_until_timestamp_seconds{provider="backend"}`); until <= float64(time.Now().Unix()) {
		t.Errorf("open until %v, which is past", until)
	}
}

// Failures 0.7 s apart never meet in a ratio window of 1 s; the consecutive
// count must not forget them.
func TestBreakerTripsOnRareFailures(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 4\n ratio 50% of 20 in 1s\n open 1m"))
	testsite.Set(t, s.Backend, sandbox.Status500)
	tick := time.NewTicker(700 * time.Millisecond)
	defer tick.Stop()
	for range 4 {
		s.Session()
		<-tick.C
	}
	if a := s.Session(); a.Reason() != "open" {
		t.Errorf("got reason %q after 4 failures, want open", a.Reason())
	}
	if got := s.Backend.Calls(); got != 4 {
		t.Errorf("backend was called %d times, want 4", got)
	}
}

// Half-open lets exactly the probes through, whoever else asks at that moment.
func TestBreakerProbes(t *testing.T) {
	for _, tt := range []struct {
		name, probes string
		want         int
	}{{"one", "1", 1}, {"three", "3", 3}} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, withBreaker("consecutive 2\n open 300ms\n probes "+tt.probes))
			trip(s, 2)
			s.Await(backendHalfOpen, 1)
			s.Backend.Clear()
			testsite.Set(t, s.Backend, sandbox.Hang)
			answers := burst(s, 20)
			timeouts := 0
			for _, a := range answers {
				if a.Status != http.StatusOK || a.Provider() != "openai" {
					t.Errorf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
				}
				if a.Reason() == "timeout" {
					timeouts++
				}
			}
			if got := s.Backend.Calls(); got != tt.want || timeouts != tt.want {
				t.Errorf("backend got %d probes and %d requests waited for one, want %d", got, timeouts, tt.want)
			}
			// A hung probe does not wedge it: after the next open time it probes again, and closes.
			testsite.Set(t, s.Backend, sandbox.None)
			s.Await(backendHalfOpen, 1)
			for range tt.want {
				if a := s.Session(); a.Provider() != "backend" {
					t.Errorf("a probe was served by %q because %q", a.Provider(), a.Reason())
				}
			}
			if s.Metric(backendClosed) != 1 {
				t.Error("the breaker did not close")
			}
		})
	}
}

// trip opens the backend's breaker with n failures.
func trip(s *site, n int) {
	s.T.Helper()
	testsite.Set(s.T, s.Backend, sandbox.Status500)
	for range n {
		s.Session()
	}
	if s.Metric(backendOpen) != 1 {
		s.T.Fatal("the breaker did not open")
	}
}

// burst sends n session requests at once.
func burst(s *site, n int) []answer {
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var err error
			if answers[i], err = s.Try(http.MethodPost, "/api/custom/session", ""); err != nil {
				s.T.Error(err)
			}
		})
	}
	wg.Wait()
	return answers
}

// Clients that leave while their probe is under way take nothing with them.
func TestBreakerProbeAborted(t *testing.T) {
	s := newSite(t, strings.Replace(withBreaker("consecutive 2\n open 200ms"), "500ms", "20s", 1)) // who waits for half of it says something
	trip(s, 2)
	testsite.Set(t, s.Backend, sandbox.Hang)
	s.Await(backendHalfOpen, 1)
	for range 3 {
		s.Backend.Clear()
		abandon(s)
		if s.Metric(backendHalfOpen) != 1 {
			t.Fatal("an aborted probe changed the breaker")
		}
	}
	testsite.Set(t, s.Backend, sandbox.None)
	if a := s.Session(); a.Provider() != "backend" {
		t.Errorf("the next probe was served by %q because %q", a.Provider(), a.Reason())
	}
	if got := s.Metric(`attempts_total{provider="backend",result="canceled"}`); got < 3 {
		t.Errorf("counted %v canceled attempts, want 3", got)
	}
}

// abandon sends a session request and leaves once the backend has it; it
// returns when the product has noticed.
func abandon(s *site) {
	s.T.Helper()
	before := s.Metric(canceledSessions)
	ctx, leave := context.WithCancel(s.T.Context())
	arrived := make(chan struct{}, 1)
	s.Backend.OnRequest(func(*sandbox.Recorded) { arrived <- struct{}{} })
	defer s.Backend.OnRequest(nil)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/custom/session", nil)
	if err != nil {
		s.T.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := s.Client.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	<-arrived
	leave()
	if err := <-done; err == nil {
		s.T.Fatal("the request was answered")
	}
	s.Await(canceledSessions, before+1)
}
