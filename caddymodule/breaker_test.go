package caddymodule_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
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

// await waits until a series has a value.
func (s *site) await(series string, want float64) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if s.metric(series) == want {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s did not become %v", series, want)
		}
	}
}

func TestBreakerOpensAfterExactlyN(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 4\n open 1m"))
	set(t, s.Backend, sandbox.Status500)
	for i := range 20 {
		a := s.session()
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
	if s.metric(backendOpen) != 1 || s.metric(backendClosed) != 0 {
		t.Error("the breaker does not show as open")
	}
	if until := s.metric(`breaker_open_until_timestamp_seconds{provider="backend"}`); until <= float64(time.Now().Unix()) {
		t.Errorf("open until %v, which is past", until)
	}
}

// Failures 0.7 s apart never meet in a ratio window of 1 s; the consecutive
// count must not forget them.
func TestBreakerTripsOnRareFailures(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 4\n ratio 50% of 20 in 1s\n open 1m"))
	set(t, s.Backend, sandbox.Status500)
	tick := time.NewTicker(700 * time.Millisecond)
	defer tick.Stop()
	for range 4 {
		s.session()
		<-tick.C
	}
	if a := s.session(); a.Reason() != "open" {
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
			s.await(backendHalfOpen, 1)
			s.Backend.Clear()
			set(t, s.Backend, sandbox.Hang)
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
			set(t, s.Backend, sandbox.None)
			s.await(backendHalfOpen, 1)
			for range tt.want {
				if a := s.session(); a.Provider() != "backend" {
					t.Errorf("a probe was served by %q because %q", a.Provider(), a.Reason())
				}
			}
			if s.metric(backendClosed) != 1 {
				t.Error("the breaker did not close")
			}
		})
	}
}

// trip opens the backend's breaker with n failures.
func trip(s *site, n int) {
	s.t.Helper()
	set(s.t, s.Backend, sandbox.Status500)
	for range n {
		s.session()
	}
	if s.metric(backendOpen) != 1 {
		s.t.Fatal("the breaker did not open")
	}
}

// burst sends n session requests at once.
func burst(s *site, n int) []answer {
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var err error
			if answers[i], err = s.try(http.MethodPost, "/api/custom/session", ""); err != nil {
				s.t.Error(err)
			}
		})
	}
	wg.Wait()
	return answers
}

// Clients that leave while their probe is under way take nothing with them.
func TestBreakerProbeAborted(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 2\n open 200ms"))
	trip(s, 2)
	set(t, s.Backend, sandbox.Hang)
	s.await(backendHalfOpen, 1)
	for range 3 {
		s.Backend.Clear()
		abandon(s)
		if s.metric(backendHalfOpen) != 1 {
			t.Fatal("an aborted probe changed the breaker")
		}
	}
	set(t, s.Backend, sandbox.None)
	if a := s.session(); a.Provider() != "backend" {
		t.Errorf("the next probe was served by %q because %q", a.Provider(), a.Reason())
	}
	if got := s.metric(`attempts_total{provider="backend",result="canceled"}`); got < 3 {
		t.Errorf("counted %v canceled attempts, want 3", got)
	}
}

// abandon sends a session request and leaves once the backend has it; it
// returns when the product has noticed.
func abandon(s *site) {
	s.t.Helper()
	before := s.metric(canceledSessions)
	ctx, leave := context.WithCancel(s.t.Context())
	arrived := make(chan struct{}, 1)
	s.Backend.OnRequest(func(*sandbox.Recorded) { arrived <- struct{}{} })
	defer s.Backend.OnRequest(nil)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/custom/session", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := s.client.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	<-arrived
	leave()
	if err := <-done; err == nil {
		s.t.Fatal("the request was answered")
	}
	s.await(canceledSessions, before+1)
}
